// Disks that fail and disks that are full.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drivers/rocksdb/rocksdb_test_kit.h"

namespace {
std::atomic<int> syncs_to_fail = 0;  // of the log's

bool is_log(int file) {
  std::error_code ignored;
  const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file), ignored);
  return path.extension() == ".log";
}
}  // namespace

// In place of the C library's: what was written is there, but its sync fails.
extern "C" int fdatasync(int file) {
  if (syncs_to_fail > 0 && is_log(file)) {
    --syncs_to_fail;
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}
namespace tapal {
namespace {

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

std::size_t body_files(const std::string& spool) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(spool + "/bodies")) {
    if (entry.is_regular_file()) ++files;
  }
  return files;
}

// As a message that failed is replaced by the notice about it.
StoreChange replacing(Store& store, std::uint64_t old, std::uint64_t id, const std::string& text) {
  auto change = adding(store, id, text);
  change.removed.push_back(QueueId{old});
  return change;
}

// What another tapal would find, were this one killed now.
std::vector<std::uint64_t> found_if_killed_now(const std::string& spool) {
  const TestFolder copy;
  fs::copy(spool, copy.path, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  const auto store = open_store(small_options(copy.path));
  auto ids = scanned(*store);
  for (const auto id : ids) EXPECT_TRUE(store->load_body(QueueId{id})) << id;
  return ids;
}

TEST(RocksdbStore, what_was_refused_is_not_there_when_it_writes_again) {
  const TestFolder folder;
  TestLoop loop;
  const auto store = open_store(small_options(folder.path));
  ASSERT_TRUE(commit(loop, *store, adding(*store, 1, "first")));
  ASSERT_TRUE(commit(loop, *store, adding(*store, 2, "second")));
  for (const auto size : {1'000U, 300'000U}) {
    syncs_to_fail = 1;
    EXPECT_FALSE(commit(loop, *store, adding(*store, 3, body_text(3, size))));
    ASSERT_TRUE(commit(loop, *store, {}));
    EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{1, 2}));
  }
  syncs_to_fail = 1;
  StoreChange removal;
  removal.removed.push_back(QueueId{1});
  EXPECT_FALSE(commit(loop, *store, std::move(removal)));
  ASSERT_TRUE(commit(loop, *store, adding(*store, 4, "fourth")));
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{1, 2, 4}));
  EXPECT_EQ(found_if_killed_now(folder.path), (std::vector<std::uint64_t>{1, 2, 4}));
  EXPECT_EQ(read_all(*store->load_body(QueueId{1}).value()), "first");
  EXPECT_EQ(body_files(folder.path), 0U);
}

TEST(RocksdbStore, a_message_or_what_replaces_it_is_there_whenever_it_is_killed) {
  for (const auto size : {1'000U, 300'000U}) {
    const TestFolder folder;
    TestLoop loop;
    const auto store = open_store(small_options(folder.path));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 1, "message")));
    const auto notice = body_text(2, size);

    syncs_to_fail = 1;
    EXPECT_FALSE(commit(loop, *store, replacing(*store, 1, 2, notice)));
    EXPECT_EQ(found_if_killed_now(folder.path), std::vector<std::uint64_t>{2}) << "in the log";

    ASSERT_TRUE(commit(loop, *store, adding(*store, 3, "another")));
    EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(found_if_killed_now(folder.path), (std::vector<std::uint64_t>{1, 3}));

    ASSERT_TRUE(commit(loop, *store, replacing(*store, 1, 2, notice)));
    EXPECT_EQ(found_if_killed_now(folder.path), (std::vector<std::uint64_t>{2, 3}));
    EXPECT_EQ(read_all(*store->load_body(QueueId{2}).value()), notice);
    EXPECT_EQ(body_files(folder.path), size > 100'000 ? 1U : 0U);
  }
}

TEST(RocksdbStore, a_refused_removal_is_done_again_and_leaves_no_body_file) {
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
  EXPECT_EQ(body_files(folder.path), 0U);
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

// As the queue does, which tries a refused outcome again: a compaction in the background may have
// the room at this moment, and gives it back when it fails.
Bodies commit_again(TestLoop& loop, Store& store, const std::function<StoreChange()>& change) {
  Bodies result = commit(loop, store, change());
  for (int tries = 0; !result && tries < 20; ++tries) result = commit(loop, store, change());
  return result;
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
    const Bodies again =
        commit_again(loop, *store, [&] { return adding(*store, 100'000, "room again"); });
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
    const Bodies removed = commit_again(loop, *store, [id] {
      StoreChange change;
      change.removed.push_back(QueueId{id});
      return change;
    });
    ASSERT_TRUE(removed) << removed.error().what;
  }
  const Bodies again =
      commit_again(loop, *store, [&] { return adding(*store, 100'000, "room again"); });
  EXPECT_TRUE(again) << again.error().what;
  EXPECT_EQ(scanned(*store), std::vector<std::uint64_t>{100'000});
}

}  // namespace
}  // namespace tapal
