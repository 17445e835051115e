#include "rules/account/guess_limits.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tapal::account {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant start = Instant() + hours(1000);
constexpr std::string_view ann = "ann@own.example";

Guess guess(std::string_view login, std::string_view peer) {
  return {std::string(login), IpAddress::from_text(peer).value()};
}

// Guesses until refused; how many were looked at.
int guesses_until_refused(GuessLimits& limits, const Guess& who, Instant now) {
  int count = 0;
  while (count < 1000 && !limits.refuses(who, now)) {
    limits.on_wrong(who, 0, now);
    ++count;
  }
  return count;
}

// A network of its own for each number.
std::string stranger(int number) {
  return fmt::format("{}.{}.0.1", 11 + number / 200, number % 200);
}

TEST(GuessLimits, stop_a_network_whatever_accounts_it_tries) {
  GuessLimits limits({});
  int looked_at = 0;
  for (int i = 0; i < 50; ++i) {
    const auto who = guess(fmt::format("user{}@own.example", i), fmt::format("192.0.2.{}", i));
    if (limits.refuses(who, start)) continue;
    limits.on_wrong(who, 0, start);
    ++looked_at;
  }
  EXPECT_EQ(looked_at, 10);
  EXPECT_TRUE(limits.refuses(guess("new@own.example", "192.0.2.200"), start));
  EXPECT_FALSE(limits.refuses(guess("new@own.example", "192.0.3.1"), start));
}

TEST(GuessLimits, stop_a_neighbourhood_of_many_networks) {
  GuessLimits limits({});
  int looked_at = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto who = guess(fmt::format("u{}@own.example", i), fmt::format("2001:db8:1:{:x}::1", i));
    if (limits.refuses(who, start)) continue;
    limits.on_wrong(who, 0, start);
    ++looked_at;
  }
  EXPECT_EQ(looked_at, 100);
  EXPECT_FALSE(limits.refuses(guess("new@own.example", "2001:db8:2::1"), start));
}

TEST(GuessLimits, stop_guessing_at_one_account_from_everywhere) {
  GuessLimits limits({});
  int looked_at = 0;
  for (int i = 0; i < 500; ++i) {
    // Each writes the name in its own way.
    const auto who = guess(i % 2 == 0 ? ann : "ANN@Own.Example", stranger(i));
    if (limits.refuses(who, start)) continue;
    limits.on_wrong(who, 0, start);
    ++looked_at;
  }
  EXPECT_EQ(looked_at, 20);
  EXPECT_TRUE(limits.refuses(guess(ann, "203.0.113.1"), start));
  EXPECT_FALSE(limits.refuses(guess("bob@own.example", "203.0.113.1"), start));
}

TEST(GuessLimits, forget_evenly_so_that_one_attempt_gets_through_now_and_then) {
  GuessLimits limits({.per_network_max = 10, .window = hours(1)});
  const auto who = guess(ann, "192.0.2.1");
  EXPECT_EQ(guesses_until_refused(limits, who, start), 10);
  const auto counts = limits.counts(start);
  ASSERT_FALSE(counts.empty());
  EXPECT_EQ(counts[0].what, "network 192.0.2.0/24");
  EXPECT_EQ(counts[0].wrong, 10);
  EXPECT_EQ(counts[0].refused_for, Duration(minutes(6)));
  EXPECT_TRUE(limits.refuses(who, start + minutes(6) - seconds(1)));
  EXPECT_EQ(guesses_until_refused(limits, who, start + minutes(6)), 1);
  EXPECT_EQ(guesses_until_refused(limits, who, start + minutes(18)), 2);
  EXPECT_EQ(guesses_until_refused(limits, who, start + hours(2)), 10);
  EXPECT_TRUE(limits.counts(start + hours(4)).empty());
}

TEST(GuessLimits, hold_answers_back_longer_and_longer_and_never_long) {
  GuessLimits limits({});
  std::vector<Duration> times;
  for (int i = 0; i < 10; ++i) times.push_back(limits.on_wrong(guess(ann, "192.0.2.1"), 0, start));
  const std::vector<Duration> expected{seconds(0),
                                       seconds(0),
                                       seconds(1),
                                       seconds(1),
                                       seconds(1),
                                       seconds(2),
                                       seconds(2),
                                       seconds(4),
                                       seconds(4),
                                       seconds(4)};
  EXPECT_EQ(times, expected);
}

TEST(GuessLimits, let_the_owner_in_where_the_owner_has_been_while_strangers_guess) {
  GuessLimits limits({});
  limits.on_right(guess(ann, "198.51.100.7"), start);
  for (int i = 0; i < 500; ++i) limits.on_wrong(guess(ann, stranger(i)), 0, start);
  for (int i = 0; i < 50; ++i)  // also from next door
    limits.on_wrong(guess(ann, "198.51.100.8"), 0, start);
  EXPECT_TRUE(limits.refuses(guess(ann, "198.51.100.8"), start));
  EXPECT_FALSE(limits.refuses(guess(ann, "198.51.100.7"), start));
  EXPECT_TRUE(limits.refuses(guess("bob@own.example", "198.51.100.7"), start))
      << "only the owner's own account";
  EXPECT_EQ(guesses_until_refused(limits, guess(ann, "198.51.100.7"), start), 10)
      << "a known place has a limit, too";
}

TEST(GuessLimits, let_a_service_with_many_addresses_in_once_one_of_them_was_right) {
  GuessLimits limits({});
  limits.on_right(guess(ann, "209.85.220.41"), start);
  for (int i = 0; i < 500; ++i) limits.on_wrong(guess(ann, stranger(i)), 0, start);
  EXPECT_TRUE(limits.refuses(guess(ann, "203.0.113.1"), start));
  for (int i = 0; i < 256; ++i) {
    const auto google = guess(ann, fmt::format("209.85.{}.{}", i, 255 - i));
    EXPECT_FALSE(limits.refuses(google, start));
    limits.on_right(google, start);
  }
}

TEST(GuessLimits, count_the_same_wrong_password_once) {
  GuessLimits limits({});
  const auto who = guess(ann, "192.0.2.1");
  for (int i = 0; i < 1000; ++i) limits.on_wrong(who, 77, start);
  EXPECT_FALSE(limits.refuses(who, start));
  EXPECT_EQ(limits.counts(start)[0].wrong, 1);
  for (std::uint64_t i = 1; i <= 20; ++i) limits.on_wrong(who, i, start);
  EXPECT_TRUE(limits.refuses(who, start));
}

TEST(GuessLimits, treat_names_that_exist_and_names_that_do_not_alike) {
  // The same guesses at a name that has logged in before and at one that never can: from places
  // that are strange to both no answer and no time differs.
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::minstd_rand random(seed);
    GuessLimits of_user({});
    GuessLimits of_nobody({});
    of_user.on_right(guess(ann, "198.51.100.7"), start);
    Instant now = start;
    for (int i = 0; i < 200; ++i) {
      const auto peer = stranger(static_cast<int>(random() % 40));
      const auto seen = random() % 3 == 0 ? std::uint64_t{0} : random() % 50 + 1;
      ASSERT_EQ(of_user.refuses(guess(ann, peer), now),
                of_nobody.refuses(guess("nobody@own.example", peer), now));
      ASSERT_EQ(of_user.on_wrong(guess(ann, peer), seen, now),
                of_nobody.on_wrong(guess("nobody@own.example", peer), seen, now));
      now += seconds(random() % 300);
    }
  }
}

TEST(GuessLimits, are_bounded_and_cannot_be_confused_by_hostile_names) {
  GuessLimits limits({.counts_max = 50});
  limits.on_right(guess(ann, "198.51.100.7"), start);
  for (int i = 0; i < 10'000; ++i)
    limits.on_wrong(
        guess(std::string(10'000, 'x') + std::to_string(i), stranger(i % 3000)), 0, start);
  EXPECT_LE(limits.counts(start).size(), 50U);
  for (const auto& count : limits.counts(start)) EXPECT_LE(count.what.size(), 515U);
  for (const std::string_view name : {"ann@own.example from 198.51.100.7/32",
                                      "198.51.100.7/32 of ann@own.example",
                                      "\n\xFF",
                                      ""}) {
    GuessLimits fresh({});
    fresh.on_right(guess(ann, "198.51.100.7"), start);
    for (int i = 0; i < 500; ++i) fresh.on_wrong(guess(name, stranger(i)), 0, start);
    EXPECT_FALSE(fresh.refuses(guess(ann, "198.51.100.7"), start));
    for (const auto& count : fresh.counts(start))
      EXPECT_EQ(count.what.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace tapal::account
