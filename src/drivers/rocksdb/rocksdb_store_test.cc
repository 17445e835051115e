#include "drivers/rocksdb/rocksdb_store.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ports/memory_store.h"
#include "ports/store_contract.h"

namespace {
std::atomic<int> syncs_to_fail = 0;
}

// In place of the C library's: what was written is there, but its sync fails.
extern "C" int fdatasync(int file) {
  if (syncs_to_fail > 0) {
    --syncs_to_fail;
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace tapal {
namespace {

namespace fs = std::filesystem;
using namespace store_contract;

struct TestFolder {
  std::string path;
  TestFolder() {
    path = (fs::temp_directory_path() / "tapal-spool-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) std::abort();
  }
  TestFolder(const TestFolder&) = delete;
  ~TestFolder() { fs::remove_all(path); }
};

class TestLog final : public Log {
 public:
  void write(Level /*level*/, std::string_view event, LogFields /*fields*/) override {
    const std::scoped_lock lock(mutex_);
    events_.emplace_back(event);
  }
  std::size_t count(std::string_view event) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(events_, event));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

RocksdbStoreOptions small_options(const std::string& folder) {
  RocksdbStoreOptions options;
  options.folder = folder;
  options.write_buffer_bytes = 1024UL * 1024;  // so that tests see flushes and new logs
  options.min_free_bytes = 0;
  options.body_in_record_bytes_max = 64UL * 1024;
  return options;
}

std::unique_ptr<RocksdbStore> open_store(RocksdbStoreOptions options, Log* log = nullptr) {
  auto store = RocksdbStore::open(std::move(options), log);
  if (!store) ADD_FAILURE() << store.error().what;
  return store ? *std::move(store) : nullptr;
}

struct RocksdbFixture {
  static constexpr bool remembers = true;
  TestFolder folder;
  std::unique_ptr<RocksdbStore> kept = open_store(small_options(folder.path + "/spool"));
  Store& store() { return *kept; }
  void reopen() {
    kept.reset();
    kept = open_store(small_options(folder.path + "/spool"));
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(RocksdbStore, StoreContract, RocksdbFixture);

TEST(RocksdbStore, one_process_at_a_time_and_the_second_is_told_the_folder) {
  const TestFolder folder;
  const auto store = open_store(small_options(folder.path));
  const auto second = RocksdbStore::open(small_options(folder.path), nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::denied);
  EXPECT_NE(second.error().what.find(folder.path), std::string::npos) << second.error().what;
}

TEST(RocksdbStore, a_folder_that_cannot_be_made_is_named) {
  const auto store = RocksdbStore::open(small_options("/proc/tapal/spool"), nullptr);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().what.find("/proc/tapal/spool"), std::string::npos);
}

TEST(RocksdbStore, everything_is_readable_by_its_owner_only) {
  const TestFolder folder;
  TestLoop loop;
  const auto store = open_store(small_options(folder.path + "/spool"));
  for (std::uint64_t id = 1; id <= 30; ++id) {
    ASSERT_TRUE(commit(loop, *store, adding(*store, id, body_text(id, id * 10'000))));
  }
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path)) {
    struct stat about{};
    ASSERT_EQ(::stat(entry.path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0077U, 0U) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 10U);
}

TEST(RocksdbStore, bodies_under_way_take_no_more_memory_than_they_may) {
  const TestFolder folder;
  TestLoop loop;
  RocksdbStoreOptions options = small_options(folder.path + "/spool");
  options.bodies_in_memory_bytes_max = 50'000;
  const auto store = open_store(options);
  const auto unfinished = [&folder] {
    const fs::directory_iterator files(folder.path + "/spool/bodies/new");
    return std::distance(begin(files), end(files));
  };
  auto first = store->new_body();
  ASSERT_TRUE(first->append(body_text(1, 40'000)));
  EXPECT_EQ(unfinished(), 0);
  auto second = store->new_body();
  ASSERT_TRUE(second->append(body_text(2, 40'000)));
  EXPECT_EQ(unfinished(), 1);
  StoreChange change;
  change.added.push_back({message(1), std::move(first)});
  change.added.push_back({message(2), std::move(second)});
  ASSERT_TRUE(commit(loop, *store, std::move(change)));
  const auto third = store->new_body();  // what was committed counts no more
  ASSERT_TRUE(third->append(body_text(3, 40'000)));
  EXPECT_EQ(unfinished(), 0);
  for (const std::uint64_t id : {1U, 2U})
    EXPECT_EQ(read_all(*store->load_body(QueueId{id}).value()), body_text(id, 40'000));
}

TEST(RocksdbStore, dropped_and_refused_bodies_leave_no_file) {
  const TestFolder folder;
  TestLoop loop;
  RocksdbStoreOptions options = small_options(folder.path);
  options.min_free_bytes = UINT64_MAX / 2;
  const auto store = open_store(options);
  {
    EXPECT_TRUE(store->new_body()->append(body_text(1, 300'000)));
  }
  const auto refused = commit(loop, *store, adding(*store, 1, body_text(1, 300'000)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::full);
  for (const auto& entry : fs::recursive_directory_iterator(folder.path + "/bodies")) {
    EXPECT_FALSE(entry.is_regular_file()) << entry.path();
  }
}

TEST(RocksdbStore, below_the_reserve_new_mail_is_refused_and_the_queue_is_worked_off) {
  const TestFolder folder;
  TestLoop loop;
  {
    const auto store = open_store(small_options(folder.path));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 1, "one")));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 2, "two")));
    EXPECT_GT(store->free_bytes(), 0U);
  }
  RocksdbStoreOptions options = small_options(folder.path);
  options.min_free_bytes = UINT64_MAX / 2;
  const auto store = open_store(options);
  EXPECT_EQ(store->free_bytes(), 0U);
  EXPECT_EQ(commit(loop, *store, adding(*store, 3, "three")).error().code, Code::full);
  StoreChange change;
  change.updated.push_back(message(1));
  change.removed.push_back(QueueId{2});
  EXPECT_TRUE(commit(loop, *store, std::move(change)));
  EXPECT_EQ(scanned(*store), std::vector<std::uint64_t>{1});
}

TEST(RocksdbStore, bodies_no_message_names_are_removed_at_open) {
  const TestFolder folder;
  TestLoop loop;
  TestLog log;
  {
    const auto store = open_store(small_options(folder.path));
  }
  const std::string lost = QueueId{77}.text();
  const std::string place = folder.path + "/bodies/" + lost.substr(5, 2);
  fs::create_directory(place);
  std::ofstream(place + '/' + lost) << "lost";
  std::ofstream(folder.path + "/bodies/new/5") << "unfinished";
  const auto store = open_store(small_options(folder.path), &log);
  EXPECT_FALSE(fs::exists(place + '/' + lost));
  EXPECT_FALSE(fs::exists(folder.path + "/bodies/new/5"));
  EXPECT_EQ(log.count("unused body removed"), 1U);
}

TEST(RocksdbStore, a_message_whose_body_is_gone_is_told_and_not_dropped) {
  const TestFolder folder;
  TestLoop loop;
  TestLog log;
  const std::string name = QueueId{5}.text();
  {
    const auto store = open_store(small_options(folder.path));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 4, body_text(4, 300'000))));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 5, body_text(5, 300'000))));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 6, "small")));
  }
  ASSERT_TRUE(fs::remove(folder.path + "/bodies/" + name.substr(5, 2) + '/' + name));
  const auto store = open_store(small_options(folder.path), &log);
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{4, 5, 6}));
  EXPECT_EQ(log.count("message without its body"), 1U);
  EXPECT_FALSE(store->load_body(QueueId{5}));
}

TEST(RocksdbStore, a_message_removed_while_the_store_is_read_is_not_told_as_lost) {
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{300'000}}) {
    SCOPED_TRACE(bytes);
    const TestFolder folder;
    TestLoop loop;
    TestLog log;
    const auto store = open_store(small_options(folder.path), &log);
    ASSERT_TRUE(commit(loop, *store, adding(*store, 1, body_text(1, bytes))));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 2, body_text(2, bytes))));
    std::size_t seen = 0;
    ASSERT_TRUE(store->scan({}, [&](const queue::Message& each) {
      ++seen;
      if (each.id != QueueId{1}) return true;
      StoreChange change;
      change.removed.push_back(QueueId{2});
      EXPECT_TRUE(commit(loop, *store, std::move(change)));
      return true;
    }));
    EXPECT_EQ(seen, 2U);
    EXPECT_EQ(log.count("message without its body"), 0U);
  }
}

TEST(RocksdbStore, a_failing_disk_is_answered_and_overcome) {
  const TestFolder folder;
  TestLoop loop;
  TestLog log;
  auto store = open_store(small_options(folder.path), &log);
  ASSERT_TRUE(commit(loop, *store, adding(*store, 1, "before")));
  StoreChange small = adding(*store, 2, "small");
  StoreChange large = adding(*store, 3, body_text(3, 300'000));
  std::unique_ptr<BodyWriter> writer = store->new_body();

  // With this limit every write to a file fails with EFBIG.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  const Bodies failed_small = commit(loop, *store, std::move(small));
  const Bodies failed_large = commit(loop, *store, std::move(large));
  const Result<void> appended = writer->append(body_text(4, 300'000));
  const bool readable = store->load(QueueId{1}).has_value();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);

  EXPECT_EQ(failed_small.error().code, Code::internal);
  EXPECT_FALSE(failed_large);
  EXPECT_FALSE(appended);
  EXPECT_TRUE(readable);
  EXPECT_GE(log.count("the spool cannot write"), 1U);
  writer.reset();

  ASSERT_TRUE(commit(loop, *store, adding(*store, 5, "after")));
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{1, 5}));
  EXPECT_EQ(log.count("the spool writes again"), 1U);
  store.reset();
  store = open_store(small_options(folder.path));
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{1, 5}));
  EXPECT_EQ(read_all(*store->load_body(QueueId{5}).value()), "after");
}

TEST(RocksdbStore, a_removal_that_was_refused_and_stayed_leaves_no_body_file) {
  const TestFolder folder;
  TestLoop loop;
  const auto store = open_store(small_options(folder.path));
  ASSERT_TRUE(commit(loop, *store, adding(*store, 1, body_text(1, 300'000))));
  const auto remove = [&] {
    StoreChange change;
    change.removed.push_back(QueueId{1});
    return commit(loop, *store, std::move(change));
  };
  syncs_to_fail = 1;
  EXPECT_FALSE(remove());
  EXPECT_TRUE(remove());
  EXPECT_EQ(syncs_to_fail, 0);
  EXPECT_EQ(scanned(*store), std::vector<std::uint64_t>{});
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path + "/bodies")) {
    if (entry.is_regular_file()) ++files;
  }
  EXPECT_EQ(files, 0U);
}

struct SmallDisk {
  std::string path;
  bool mounted = false;
  explicit SmallDisk(std::string at) : path(std::move(at)) {
    fs::create_directory(path);
    mounted = ::mount("tapal-test", path.c_str(), "tmpfs", 0, "size=40m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted) ::umount2(path.c_str(), MNT_DETACH);
  }
};

// Commits until the disk is full; returns the acknowledged ids.
std::vector<std::uint64_t> fill(TestLoop& loop, Store& store, std::uint64_t first) {
  std::vector<std::uint64_t> kept;
  for (std::uint64_t id = first; id < first + 3'000; ++id) {
    const std::string text = body_text(id, id % 10 == 0 ? 200'000 : 20'000);
    std::unique_ptr<BodyWriter> writer = store.new_body();
    if (!writer->append(text)) continue;
    StoreChange change;
    change.added.push_back({message(id), std::move(writer)});
    const Bodies bodies = commit(loop, store, std::move(change));
    if (bodies) {
      kept.push_back(id);
      continue;
    }
    EXPECT_EQ(bodies.error().code, Code::full) << bodies.error().what;
    if (id > first + 2'500) break;
  }
  return kept;
}

TEST(RocksdbStore, a_full_disk_loses_nothing_acknowledged_and_works_again_with_room) {
  const TestFolder folder;
  const SmallDisk disk(folder.path + "/disk");
  if (!disk.mounted) GTEST_SKIP() << "needs root, to mount a small tmpfs";
  TestLoop loop;
  const std::string filler = disk.path + "/filler";
  std::ofstream(filler) << std::string(12'000'000, 'x');
  std::vector<std::uint64_t> kept;
  {
    const auto store = open_store(small_options(disk.path + "/spool"));
    kept = fill(loop, *store, 1);
    EXPECT_GT(kept.size(), 100U);
    EXPECT_LT(kept.size(), 2'900U);
    EXPECT_EQ(scanned(*store), kept) << "still readable while full";
    fs::remove(filler);
    // RocksDB may still be cleaning up in the background when the first comes.
    Bodies again = fail(Code::full, "not tried");
    for (int tries = 0; !again && tries < 20; ++tries)
      again = commit(loop, *store, adding(*store, 100'000, "room again"));
    ASSERT_TRUE(again) << again.error().what;
    kept.push_back(100'000);
    EXPECT_EQ(scanned(*store), kept);
  }
  const auto store = open_store(small_options(disk.path + "/spool"));
  ASSERT_EQ(scanned(*store), kept);
  for (const std::uint64_t id : kept) {
    if (id == 100'000) continue;
    const std::string text = body_text(id, id % 10 == 0 ? 200'000 : 20'000);
    ASSERT_TRUE(read_all(*store->load_body(QueueId{id}).value()) == text) << id;
  }
}

// What is kept in memory must find its place on the disk within the reserve, or nothing could be
// worked off any more.
TEST(RocksdbStore, a_disk_that_is_full_but_for_its_reserve_is_worked_off) {
  const TestFolder folder;
  const SmallDisk disk(folder.path + "/disk");
  if (!disk.mounted) GTEST_SKIP() << "needs root, to mount a small tmpfs";
  TestLoop loop;
  RocksdbStoreOptions options;
  options.folder = disk.path + "/spool";
  options.min_free_bytes = 6'000'000;
  const auto store = open_store(options);
  const std::vector<std::uint64_t> kept = fill(loop, *store, 1);
  ASSERT_GT(kept.size(), 100U);
  for (const std::uint64_t id : kept) {
    StoreChange change;
    change.removed.push_back(QueueId{id});
    const Bodies removed = commit(loop, *store, std::move(change));
    ASSERT_TRUE(removed) << removed.error().what;
  }
  const Bodies again = commit(loop, *store, adding(*store, 100'000, "room again"));
  EXPECT_TRUE(again) << again.error().what;
  EXPECT_EQ(scanned(*store), std::vector<std::uint64_t>{100'000});
}

// A copy of the folder is what a power cut would leave: no clean close, zeros behind the log's end.
TEST(RocksdbStore, a_torn_last_record_costs_only_the_commit_it_belongs_to) {
  const TestFolder folder;
  TestLoop loop;
  const auto store = open_store(small_options(folder.path + "/spool"));
  for (std::uint64_t id = 1; id <= 40; ++id) {
    ASSERT_TRUE(commit(loop, *store, adding(*store, id, body_text(id, 1'000))));
  }
  for (const std::size_t torn : {std::size_t{0}, std::size_t{1}, std::size_t{900}}) {
    const std::string copy = folder.path + "/copy" + std::to_string(torn);
    fs::copy(folder.path + "/spool", copy, fs::copy_options::recursive);
    std::string newest;
    for (const auto& entry : fs::directory_iterator(copy + "/records")) {
      const std::string path = entry.path().string();
      if (path.ends_with(".log")) newest = std::max(newest, path);
    }
    std::ifstream in(newest, std::ios::binary);
    std::string log((std::istreambuf_iterator<char>(in)), {});
    const std::size_t end = log.find_last_not_of('\0') + 1;
    EXPECT_GE(log.size(), end + 500'000) << "zeros are written ahead";
    std::fill_n(log.begin() + static_cast<std::ptrdiff_t>(end - torn), torn, '\0');
    std::ofstream(newest, std::ios::binary) << log;

    auto again = open_store(small_options(copy));
    std::vector<std::uint64_t> expected(torn == 0 ? 40 : 39);
    std::iota(expected.begin(), expected.end(), 1);
    EXPECT_EQ(scanned(*again), expected) << torn;
    ASSERT_TRUE(commit(loop, *again, adding(*again, 50, "later")));
    again.reset();
    again = open_store(small_options(copy));
    expected.push_back(50);
    EXPECT_EQ(scanned(*again), expected) << torn;
  }
}

StoreChange random_change(Store& store, std::mt19937_64& random, std::uint64_t& next_id) {
  StoreChange change;
  for (std::uint64_t i = random() % 3; i > 0; --i) {
    const std::uint64_t id = ++next_id;
    change.added.push_back(std::move(
        adding(store, id, body_text(id, id % 5 == 0 ? 70'000 + id : id * 31 % 4'000)).added[0]));
  }
  for (std::uint64_t i = random() % 3; i > 0 && next_id > 0; --i) {
    change.updated.push_back(message(1 + random() % next_id));
    change.updated.back().subject = std::to_string(random());
  }
  if (next_id > 0 && random() % 2 == 0) change.removed.push_back(QueueId{1 + random() % next_id});
  return change;
}

TEST(RocksdbStore, agrees_with_the_memory_store_whatever_is_done) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const TestFolder folder;
    TestLoop loop;
    auto store = open_store(small_options(folder.path));
    MemoryStore model;
    std::mt19937_64 random(seed), same(seed);
    std::uint64_t next_id = 0, same_id = 0;
    for (int step = 0; step < 150; ++step) {
      const auto durability = step % 3 == 0 ? Durability::synced : Durability::relaxed;
      ASSERT_TRUE(commit(loop, *store, random_change(*store, random, next_id), durability));
      ASSERT_TRUE(commit(loop, model, random_change(model, same, same_id), durability));
      if (step % 50 == 49) {
        store.reset();
        store = open_store(small_options(folder.path));
      }
    }
    ASSERT_EQ(scanned(*store), scanned(model)) << "seed " << seed;
    for (const std::uint64_t id : scanned(model)) {
      EXPECT_EQ(store->load(QueueId{id}).value(), model.load(QueueId{id}).value());
      EXPECT_TRUE(read_all(*store->load_body(QueueId{id}).value()) ==
                  read_all(*model.load_body(QueueId{id}).value()))
          << "seed " << seed << ", message " << id;
    }
  }
}

TEST(RocksdbStore, counts_fewer_syncs_than_commits_when_many_wait) {
  const TestFolder folder;
  const auto store = open_store(small_options(folder.path));
  constexpr std::size_t committers = 50, each_commits = 20;
  static constexpr auto commit_some = [](TestLoop& on,
                                         Store& to,
                                         std::size_t first,
                                         std::size_t& left,
                                         std::promise<void>& done) -> Task<> {
    for (std::size_t i = 0; i < each_commits; ++i) {
      StoreChange change = adding(to, first + i, "text");
      const Bodies bodies = co_await to.commit(on, std::move(change), Durability::synced);
      EXPECT_TRUE(bodies);
    }
    if (--left == 0) done.set_value();
  };
  std::size_t left = committers;
  std::promise<void> done;
  TaskGroup group;
  {
    TestLoop loop;
    loop.post([&] {
      for (std::size_t i = 0; i < committers; ++i) {
        group.spawn(commit_some(loop, *store, 1 + i * each_commits, left, done));
      }
    });
    done.get_future().wait();
  }
  const RocksdbCounters counters = store->counters();
  EXPECT_EQ(counters.messages_added, committers * each_commits);
  EXPECT_EQ(counters.commits, committers * each_commits);
  EXPECT_LT(counters.groups, counters.commits / 2);
  EXPECT_LT(counters.syncs, counters.commits / 2);
  EXPECT_EQ(counters.failures, 0U);
}

}  // namespace
}  // namespace tapal
