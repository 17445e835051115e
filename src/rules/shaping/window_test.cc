#include "rules/shaping/window.h"

#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace tapal::shaping {
namespace {

using namespace std::chrono_literals;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};

TEST(Window, takes_its_count_at_once_and_then_nothing_until_that_is_long_ago) {
  Window window({3, 60s});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(window.has_room(noon));
    window.count(noon);
  }
  EXPECT_FALSE(window.has_room(noon));
  EXPECT_FALSE(window.has_room(noon + 59s));
  EXPECT_TRUE(window.has_room(noon + 61s));
  const WallTime again = window.room_at(noon).value();
  EXPECT_GE(again, noon + 60s);
  EXPECT_LE(again, noon + 61s);
  EXPECT_TRUE(window.has_room(again));
}

TEST(Window, keeps_room_for_what_is_under_way) {
  Window window({3, 60s});
  EXPECT_TRUE(window.has_room(noon, 2));
  EXPECT_FALSE(window.has_room(noon, 3));
  EXPECT_EQ(window.room_at(noon, 3), std::nullopt) << "one of them has to end";
  window.count(noon);
  EXPECT_FALSE(window.has_room(noon, 2));
  EXPECT_GE(window.room_at(noon, 2).value(), noon + 60s);
}

TEST(Window, does_not_wait_for_a_clock_that_was_set_back_to_come_round_again) {
  Window window({1, 60s});
  window.count(noon);
  window.count(noon - 24h);
  EXPECT_FALSE(window.has_room(noon - 24h));
  EXPECT_LE(window.room_at(noon - 24h).value(), noon - 24h + 61s);
}

TEST(Window, never_lets_more_than_its_count_into_any_window) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const Rate rate{1 + random() % 20, std::chrono::seconds(1 + random() % 600)};
    Window window(rate);
    std::deque<WallTime> let_in;
    WallTime now = noon;
    for (int step = 0; step < 5'000; ++step) {
      if (random() % 8 == 0) {
        now = std::max(now, window.room_at(now).value());
        ASSERT_TRUE(window.has_room(now)) << "it said so";
      } else {
        now += std::chrono::milliseconds(random() % 2'000);
      }
      if (!window.has_room(now)) continue;
      window.count(now);
      let_in.push_back(now);
      while (let_in.front() <= now - rate.in) let_in.pop_front();
      ASSERT_LE(let_in.size(), rate.count) << "step " << step;
    }
  }
}

}  // namespace
}  // namespace tapal::shaping
