#include "services/intake/memory_budget.h"

#include <gtest/gtest.h>

namespace tapal::intake {
namespace {

TEST(MemoryBudget, refuses_what_does_not_fit_and_takes_back_what_ends) {
  MemoryBudget budget(100);
  MemoryBudget::Share first(budget);
  EXPECT_TRUE(first.hold(60));
  {
    MemoryBudget::Share second(budget);
    EXPECT_FALSE(second.hold(41));
    EXPECT_TRUE(second.hold(40));
    EXPECT_TRUE(budget.is_used_up());
    EXPECT_FALSE(first.hold(61));
    EXPECT_TRUE(second.hold(10));  // less always fits
    EXPECT_TRUE(first.hold(90));
  }
  EXPECT_FALSE(budget.is_used_up());
  EXPECT_TRUE(first.hold(100));
  EXPECT_TRUE(first.hold(0));
  EXPECT_FALSE(budget.is_used_up());
}

}  // namespace
}  // namespace tapal::intake
