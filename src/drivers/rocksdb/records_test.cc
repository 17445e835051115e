#include <map>

#include "drivers/rocksdb/rocksdb_test_kit.h"

namespace tapal {
namespace {

using Records = std::map<std::string, std::string>;

Records read_all_records(RocksdbStore& store) {
  Records all;
  const auto read = store.read_records(RecordKind::greylist,
                                       [&](auto key, auto value) { all.emplace(key, value); });
  EXPECT_TRUE(read);
  return all;
}

Result<void> change(TestLoop& loop, RocksdbStore& store, RecordsChange change) {
  return loop.wait<Result<void>>(
      [&] { return store.change_records(loop, RecordKind::greylist, std::move(change)); });
}

TEST(RocksdbRecords, are_there_after_a_restart_beside_the_messages) {
  const TestFolder folder;
  TestLoop loop;
  auto store = open_store(small_options(folder.path));
  const std::string binary("\xff\0m", 3);
  ASSERT_TRUE(commit(loop, *store, adding(*store, 7, "text")));
  ASSERT_TRUE(change(loop, *store, {{{"a", "1"}, {binary, "2"}, {"", "3"}}, {}}));
  ASSERT_TRUE(change(loop, *store, {{{"a", "one"}}, {"", "never there"}}));
  const Records expected{{"a", "one"}, {binary, "2"}};
  EXPECT_EQ(read_all_records(*store), expected);
  store.reset();
  store = open_store(small_options(folder.path));
  EXPECT_EQ(read_all_records(*store), expected);
  EXPECT_EQ(scanned(*store), std::vector<std::uint64_t>{7});
}

TEST(RocksdbRecords, leave_the_reserve_to_the_queue) {
  const TestFolder folder;
  TestLoop loop;
  auto options = small_options(folder.path);
  options.min_free_bytes = 1ULL << 60U;
  const auto store = open_store(options);
  const auto refused = change(loop, *store, {{{"a", "1"}}, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::full);
  EXPECT_TRUE(read_all_records(*store).empty());
}

}  // namespace
}  // namespace tapal
