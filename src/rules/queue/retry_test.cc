#include "rules/queue/retry.h"

#include <gtest/gtest.h>

namespace tapal::queue {
namespace {

using namespace std::chrono_literals;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};
constexpr std::uint64_t middle = 1ULL << 63U;  // no jitter

TEST(RetrySchedule, tries_at_once_then_by_the_intervals_then_every_four_hours) {
  const RetrySchedule schedule;
  const struct {
    std::uint32_t attempts;
    std::chrono::milliseconds wait;
  } cases[] = {{0, 0min},
               {1, 1min},
               {2, 5min},
               {3, 15min},
               {4, 30min},
               {5, 1h},
               {6, 2h},
               {7, 4h},
               {8, 4h},
               {1000, 4h},
               {UINT32_MAX, 4h}};
  for (const auto& each : cases) {
    EXPECT_EQ(schedule.next_attempt(each.attempts, noon, middle) - noon, each.wait)
        << each.attempts << " attempts";
  }
}

TEST(RetrySchedule, jitter_stays_within_its_fraction_and_uses_it) {
  const RetrySchedule schedule;
  EXPECT_EQ(schedule.next_attempt(7, noon, 0) - noon, 216min);
  const auto longest = schedule.next_attempt(7, noon, UINT64_MAX) - noon;
  EXPECT_GE(longest, 264min - 1s);
  EXPECT_LE(longest, 264min);
}

TEST(RetrySchedule, a_senseless_jitter_never_leads_into_the_past) {
  RetryOptions options;
  options.jitter_fraction = 50;
  EXPECT_GT(RetrySchedule(options).next_attempt(1, noon, 0), noon);
}

TEST(RetrySchedule, an_empty_list_of_intervals_uses_the_last_one) {
  RetryOptions options;
  options.intervals.clear();
  EXPECT_EQ(RetrySchedule(options).next_attempt(1, noon, middle), noon + 4h);
}

TEST(RetrySchedule, gives_up_after_five_days_and_tells_of_delay_after_four_hours) {
  const RetrySchedule schedule;
  EXPECT_FALSE(schedule.expired(noon, noon + 5 * 24h - 1ms));
  EXPECT_TRUE(schedule.expired(noon, noon + 5 * 24h));
  EXPECT_FALSE(schedule.delayed(noon, noon + 4h - 1ms));
  EXPECT_TRUE(schedule.delayed(noon, noon + 4h));
}

}  // namespace
}  // namespace tapal::queue
