#include "base/queue_id.h"

#include <algorithm>
#include <thread>
#include <vector>

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
  EXPECT_EQ(older.made(), WallTime(1000ms));
  EXPECT_EQ(newer.made(), WallTime(1001ms));
}

TEST(QueueIds, grow_when_the_clock_stands_and_when_it_steps_back) {
  QueueIds ids;
  const auto first = ids.next(WallTime(1'000ms));
  const auto second = ids.next(WallTime(1'000ms));
  const auto earlier_clock = ids.next(WallTime(10ms));
  const auto later_clock = ids.next(WallTime(2'000ms));
  EXPECT_LT(first, second);
  EXPECT_LT(second, earlier_clock);
  EXPECT_LT(earlier_clock, later_clock);
  EXPECT_EQ(later_clock, QueueId::make(WallTime(2'000ms), 0));
}

TEST(QueueIds, go_on_behind_what_was_given_out_before_a_restart) {
  QueueIds ids;
  const auto newest = QueueId::make(WallTime(5'000ms), 7);
  ids.continue_after(newest);
  ids.continue_after(QueueId{1});
  EXPECT_GT(ids.next(WallTime(1'000ms)), newest);
}

TEST(QueueIds, are_never_given_twice_by_several_threads_at_once) {
  constexpr std::size_t each = 100'000;
  QueueIds ids;
  std::vector<std::vector<QueueId>> taken(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : taken)
      threads.emplace_back([&ids, &mine] {
        for (std::size_t i = 0; i < each; ++i) mine.push_back(ids.next(WallTime(1ms)));
      });
  }
  std::vector<QueueId> all;
  for (const auto& mine : taken) {
    EXPECT_TRUE(std::ranges::is_sorted(mine));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
  EXPECT_EQ(all.size(), taken.size() * each);
}

}  // namespace
}  // namespace tapal
