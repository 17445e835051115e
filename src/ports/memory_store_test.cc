#include "ports/memory_store.h"

#include <gtest/gtest.h>

#include "ports/store_contract.h"

namespace tapal {
namespace {

struct MemoryFixture {
  static constexpr bool remembers = false;
  MemoryStore kept;
  Store& store() { return kept; }
  KeptRecords& records() { return kept.records; }
  void reopen() {}
};
INSTANTIATE_TYPED_TEST_SUITE_P(MemoryStore, StoreContract, MemoryFixture);

TEST(MemoryStore, fails_as_told_and_then_works_again) {
  MemoryStore store;
  store_contract::TestLoop loop;
  StoreChange change = store_contract::adding(store, 1, "text");
  store.fail_with(Error{Code::full, "no room"});
  EXPECT_EQ(store_contract::commit(loop, store, std::move(change)).error().code, Code::full);
  EXPECT_EQ(store.free_bytes(), 0U);
  EXPECT_EQ(store.size(), 0U);
  store.fail_with({});
  EXPECT_TRUE(store_contract::commit(loop, store, store_contract::adding(store, 1, "text")));
  EXPECT_EQ(store.size(), 1U);
}

}  // namespace
}  // namespace tapal
