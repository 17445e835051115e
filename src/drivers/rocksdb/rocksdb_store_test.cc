#include "drivers/rocksdb/rocksdb_store.h"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <random>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "drivers/rocksdb/rocksdb_test_kit.h"
#include "ports/memory_store.h"
#include "ports/test_fakes.h"

namespace tapal {
namespace {

struct RocksdbFixture {
  static constexpr bool remembers = true;
  TestFolder folder;
  std::unique_ptr<RocksdbStore> kept = open_store(small_options(folder.path + "/spool"));
  Store& store() { return *kept; }
  KeptRecords& records() { return *kept; }
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

TEST(RocksdbStore, large_bodies_are_synced_by_workers_and_refused_while_too_many_wait) {
  const TestFolder folder;
  TestLoop loop;
  InlineWorkers workers;
  RocksdbStoreOptions options = small_options(folder.path);
  options.workers = &workers;
  const auto store = open_store(options);
  ASSERT_TRUE(commit(loop, *store, adding(*store, 1, "small")));
  EXPECT_EQ(workers.calls, 0U);
  ASSERT_TRUE(commit(loop, *store, adding(*store, 2, body_text(2, 300'000))));
  EXPECT_EQ(workers.calls, 1U);
  workers.busy = true;
  const auto refused = commit(loop, *store, adding(*store, 3, body_text(3, 300'000)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::full);
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(read_all(*store->load_body(QueueId{2}).value()), body_text(2, 300'000));
}

// Keeps work until a test does it.
class HeldWorkers final : public Workers {
 public:
  using Work = std::move_only_function<void()>;
  bool submit(Work work) override {
    const std::scoped_lock lock(mutex_);
    held_.push_back(std::move(work));
    arrived_.notify_one();
    return true;
  }
  Work next() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !held_.empty(); });
    auto work = std::move(held_.front());
    held_.pop_front();
    return work;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Work> held_;
};

TEST(RocksdbStore, a_large_body_is_on_the_disk_before_its_message_and_holds_up_nobody_else) {
  const TestFolder folder;
  HeldWorkers workers;
  auto options = small_options(folder.path);
  options.workers = &workers;
  const auto store = open_store(options);
  TestLoop loops[3];
  const auto commit_large = [&](std::uint64_t id) {
    return std::async(std::launch::async, [&, id] {
      return commit(loops[id], *store, adding(*store, id, body_text(id, 300'000)));
    });
  };
  auto first = commit_large(1);
  auto sync_first = workers.next();
  auto second = commit_large(2);
  auto sync_second = workers.next();
  ASSERT_TRUE(commit(loops[0], *store, adding(*store, 3, "small")));
  EXPECT_EQ(scanned(*store), std::vector<std::uint64_t>{3});
  const auto syncs = store->counters().syncs;
  sync_second();
  ASSERT_TRUE(second.get());
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_GE(store->counters().syncs, syncs + 3);  // the file, its folder, the log
  EXPECT_EQ(first.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  sync_first();
  ASSERT_TRUE(first.get());
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{1, 2, 3}));
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

TEST(RocksdbStore, a_message_whose_body_is_gone_stays_and_says_so_when_it_is_asked_for) {
  const TestFolder folder;
  TestLoop loop;
  const std::string name = QueueId{5}.text();
  {
    const auto store = open_store(small_options(folder.path));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 4, body_text(4, 300'000))));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 5, body_text(5, 300'000))));
    ASSERT_TRUE(commit(loop, *store, adding(*store, 6, "small")));
  }
  ASSERT_TRUE(fs::remove(folder.path + "/bodies/" + name.substr(5, 2) + '/' + name));
  const auto store = open_store(small_options(folder.path));
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{4, 5, 6}));
  const auto body = store->load_body(QueueId{5});
  ASSERT_FALSE(body);
  EXPECT_TRUE(body.error().what.contains(name)) << body.error().what;
}

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
