#include "base/queue_id.h"

#include <gtest/gtest.h>

namespace tapal {
namespace {

using namespace std::chrono_literals;

TEST(QueueId, reads_what_it_prints) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{31}, std::uint64_t{1} << 63U, ~std::uint64_t{0}})
    EXPECT_EQ(QueueId::from_text(QueueId{value}.text()).value().value, value);
}

TEST(QueueId, refuses_other_text) {
  for (const char* text :
       {"", "0", "00000000000001", "ZZZZZZZZZZZZZ", "000000000000U", "00000000000 0"})
    EXPECT_FALSE(QueueId::from_text(text)) << text;
}

TEST(QueueId, sorts_by_age) {
  const auto older = QueueId::make(WallTime(1000ms), 0x3fffff);
  const auto newer = QueueId::make(WallTime(1001ms), 0);
  EXPECT_LT(older, newer);
  EXPECT_LT(older.text(), newer.text());
}

}  // namespace
}  // namespace tapal
