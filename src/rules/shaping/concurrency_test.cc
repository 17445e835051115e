#include "rules/shaping/concurrency.h"

#include <gtest/gtest.h>

namespace tapal::shaping {
namespace {

TEST(Concurrency, grows_by_one_for_each_round_that_goes_well) {
  Concurrency concurrency(2, 4);
  EXPECT_EQ(concurrency.ceiling(), 2U);
  concurrency.on_success(concurrency.ceiling());
  concurrency.on_success(concurrency.ceiling());
  concurrency.on_success(concurrency.ceiling());
  EXPECT_EQ(concurrency.ceiling(), 3U);
  for (int i = 0; i < 100; ++i) concurrency.on_success(concurrency.ceiling());
  EXPECT_EQ(concurrency.ceiling(), 4U);
}

TEST(Concurrency, does_not_grow_by_what_was_not_tried) {
  Concurrency concurrency(5, 20);
  for (int i = 0; i < 100; ++i) concurrency.on_success(4);
  EXPECT_EQ(concurrency.ceiling(), 5U);
}

TEST(Concurrency, gives_a_site_up_after_a_whole_round_of_failures_in_a_row) {
  Concurrency concurrency(3, 20);
  EXPECT_FALSE(concurrency.on_failure());
  EXPECT_EQ(concurrency.ceiling(), 2U);
  EXPECT_FALSE(concurrency.on_failure());
  EXPECT_TRUE(concurrency.on_failure());
  EXPECT_EQ(concurrency.ceiling(), 1U);
}

TEST(Concurrency, a_success_in_between_begins_the_round_anew) {
  Concurrency concurrency(3, 20);
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(concurrency.on_failure());
    concurrency.on_success(concurrency.ceiling());
  }
}

TEST(Concurrency, does_not_go_again_where_it_was_too_many) {
  Concurrency concurrency(10, 20);
  concurrency.on_too_many(8);
  EXPECT_EQ(concurrency.ceiling(), 3U);
  for (int i = 0; i < 100; ++i) concurrency.on_success(concurrency.ceiling());
  EXPECT_EQ(concurrency.ceiling(), 7U);
  concurrency.forget_bound();
  for (int i = 0; i < 1'000; ++i) concurrency.on_success(concurrency.ceiling());
  EXPECT_EQ(concurrency.ceiling(), 20U);
}

TEST(Concurrency, is_at_least_one_and_at_most_what_is_allowed) {
  Concurrency concurrency(0, 0);
  EXPECT_EQ(concurrency.ceiling(), 1U);
  concurrency.on_too_many(0);
  concurrency.on_failure();
  EXPECT_EQ(concurrency.ceiling(), 1U);
  EXPECT_EQ(Concurrency(50, 8).ceiling(), 8U);
}

}  // namespace
}  // namespace tapal::shaping
