#include <atomic>
#include <thread>

#include "drivers/rocksdb/rocksdb_test_kit.h"

namespace tapal {
namespace {

std::string body_of(std::uint64_t id) { return body_text(id, id % 3 == 0 ? 100'000 : 1'000); }

void expect_whole(Store& store, const std::vector<std::uint64_t>& ids) {
  for (const std::uint64_t id : ids) {
    const auto body = store.load_body(QueueId{id});
    ASSERT_TRUE(body) << id << ": " << body.error().what;
    EXPECT_TRUE(read_all(**body) == body_of(id)) << id;
  }
}

std::unique_ptr<RocksdbStore> open_copy(const std::string& from, const std::string& to) {
  fs::rename(from, to);
  return open_store(small_options(to));
}

TEST(Checkpoint, opens_as_a_spool_that_has_what_was_there_and_nothing_later) {
  const TestFolder folder;
  TestLoop loop;
  const auto store = open_store(small_options(folder.path + "/spool"));
  for (const std::uint64_t id : {1U, 2U, 3U, 6U})
    ASSERT_TRUE(commit(loop, *store, adding(*store, id, body_of(id))));
  const auto made = store->checkpoint();
  ASSERT_TRUE(made) << made.error().what;
  ASSERT_TRUE(commit(loop, *store, adding(*store, 9, body_of(9))));
  StoreChange change;
  change.removed = {QueueId{3}, QueueId{2}};
  ASSERT_TRUE(commit(loop, *store, std::move(change)));

  const auto copy = open_copy(*made, folder.path + "/copy");
  EXPECT_EQ(scanned(*copy), (std::vector<std::uint64_t>{1, 2, 3, 6}));
  expect_whole(*copy, {1, 2, 3, 6});
  EXPECT_EQ(scanned(*store), (std::vector<std::uint64_t>{1, 6, 9}));
}

TEST(Checkpoint, takes_the_place_of_the_one_before_and_goes_with_the_next_start) {
  const TestFolder folder;
  TestLoop loop;
  auto store = open_store(small_options(folder.path + "/spool"));
  ASSERT_TRUE(commit(loop, *store, adding(*store, 3, body_of(3))));
  ASSERT_TRUE(store->checkpoint());
  const auto made = store->checkpoint();
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_TRUE(fs::exists(*made + "/records/CURRENT"));
  store.reset();
  store = open_store(small_options(folder.path + "/spool"));
  EXPECT_FALSE(fs::exists(*made));
}

// Every message that the copy has is whole, whatever is added and removed around it.
TEST(Checkpoint, is_whole_while_messages_come_and_go) {
  const TestFolder folder;
  const auto store = open_store(small_options(folder.path + "/spool"));
  std::atomic<bool> ended = false;
  std::thread traffic([&] {
    TestLoop loop;
    for (std::uint64_t id = 1; !ended; ++id) {
      ASSERT_TRUE(commit(loop, *store, adding(*store, id, body_of(id))));
      if (id <= 20) continue;
      StoreChange change;
      change.removed.push_back(QueueId{id - 20});
      ASSERT_TRUE(commit(loop, *store, std::move(change)));
    }
  });
  std::size_t messages = 0;
  for (int round = 0; round < 10; ++round) {
    const auto made = store->checkpoint();
    ASSERT_TRUE(made) << made.error().what;
    const auto copy = open_copy(*made, folder.path + "/copy" + std::to_string(round));
    const auto ids = scanned(*copy);
    messages += ids.size();
    expect_whole(*copy, ids);
  }
  ended = true;
  traffic.join();
  EXPECT_GT(messages, 50U);
}

}  // namespace
}  // namespace tapal
