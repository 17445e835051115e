#include "rules/shaping/warm_up.h"

#include <random>

#include <gtest/gtest.h>

namespace tapal::shaping {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr WallTime morning{days(20'000) + hours(6)};
constexpr Relation gmail{"main", "gmail"};

WarmUpOptions options() {
  return {.start = 20, .starts = {{"gmail", 4}}, .growth = 1.5, .least = 3, .enough = 30};
}

WarmUp new_source(WarmUpOptions given = options()) {
  WarmUp warm_up(std::move(given));
  warm_up.see("main", "9.9.9.9", {}, morning);
  return warm_up;
}

// How many of `count` messages got out.
std::size_t send(WarmUp& warm_up, const Relation& relation, std::size_t count, WallTime now) {
  std::size_t sent = 0;
  for (; sent < count && warm_up.has_room(relation, now); ++sent) {
    warm_up.on_start(relation, now);
    warm_up.on_accepted(relation, now);
  }
  return sent;
}

std::size_t ceiling(const WarmUp& warm_up, const Relation& relation, WallTime now) {
  const auto day = warm_up.today(relation, now);
  return day ? day->ceiling : 0;
}

TEST(WarmUp, begins_with_what_the_provider_takes_of_a_new_address) {
  auto warm_up = new_source();
  EXPECT_EQ(send(warm_up, gmail, 100, morning), 4U);
  EXPECT_EQ(send(warm_up, {"main", "outlook"}, 100, morning), 20U);
  EXPECT_EQ(send(warm_up, {"main", ""}, 100, morning), 20U);
}

TEST(WarmUp, knows_sources_alone_that_it_has_seen) {
  auto warm_up = new_source();
  EXPECT_EQ(warm_up.today({"loopback", "gmail"}, morning), std::nullopt);
  EXPECT_EQ(send(warm_up, {"loopback", "gmail"}, 100, morning), 100U);
}

TEST(WarmUp, counts_attempts_under_way_as_sent) {
  auto warm_up = new_source();
  for (int i = 0; i < 4; ++i) warm_up.on_start(gmail, morning);
  EXPECT_FALSE(warm_up.has_room(gmail, morning));
  warm_up.on_not_accepted(gmail, morning);
  EXPECT_TRUE(warm_up.has_room(gmail, morning));
  warm_up.on_accepted(gmail, morning);
  EXPECT_EQ(warm_up.today(gmail, morning), (DayOfWarmUp{4, 1, 2}));
}

TEST(WarmUp, grows_after_days_that_used_it) {
  struct Case {
    const char* name;
    std::size_t sent;
    std::size_t next;
  };
  for (const auto& c : {Case{"nothing", 0, 4},
                        Case{"less than half", 1, 4},
                        Case{"half", 2, 6},
                        Case{"all", 4, 6}}) {
    auto warm_up = new_source();
    send(warm_up, gmail, c.sent, morning);
    EXPECT_EQ(ceiling(warm_up, gmail, morning + hours(17)), 4U) << c.name << ": the same day";
    EXPECT_EQ(ceiling(warm_up, gmail, morning + hours(18)), c.next) << c.name;
    EXPECT_EQ(ceiling(warm_up, gmail, morning + days(9)), c.next) << c.name << ": days of silence";
  }
}

TEST(WarmUp, ends_when_enough_is_borne) {
  auto warm_up = new_source();
  std::vector<std::size_t> sent;
  for (int day = 0; day < 8; ++day) sent.push_back(send(warm_up, gmail, 50, morning + days(day)));
  EXPECT_EQ(sent, (std::vector<std::size_t>{4, 6, 9, 14, 21, 50, 50, 50}));
  EXPECT_EQ(warm_up.today(gmail, morning + days(8)), std::nullopt);
  warm_up.on_deferred_for_reputation(gmail, morning + days(8));
  EXPECT_EQ(warm_up.today(gmail, morning + days(8)), std::nullopt);
}

TEST(WarmUp, ends_when_the_source_is_old) {
  auto warm_up = new_source();
  EXPECT_EQ(ceiling(warm_up, gmail, morning + days(59)), 4U);
  EXPECT_EQ(warm_up.today(gmail, morning + days(60)), std::nullopt);
}

TEST(WarmUp, shrinks_at_distrust_once_a_day) {
  auto warm_up = new_source();
  const Relation other{"main", "outlook"};
  warm_up.on_start(other, morning);
  warm_up.on_deferred_for_reputation(other, morning);
  warm_up.on_deferred_for_reputation(other, morning);
  EXPECT_EQ(warm_up.today(other, morning), (DayOfWarmUp{10, 0, 0}));
  send(warm_up, other, 50, morning);
  EXPECT_EQ(ceiling(warm_up, other, morning + days(1)), 10U) << "no growth after such a day";
  for (int day = 1; day < 9; ++day) warm_up.on_deferred_for_reputation(other, morning + days(day));
  EXPECT_EQ(ceiling(warm_up, other, morning + days(9)), 3U);
}

TEST(WarmUp, never_begins_a_day_again_when_the_clock_steps_back) {
  auto warm_up = new_source();
  EXPECT_EQ(send(warm_up, gmail, 100, morning), 4U);
  EXPECT_EQ(send(warm_up, gmail, 100, morning - days(1)), 0U);
}

TEST(WarmUp, begins_anew_with_another_address) {
  auto warm_up = new_source();
  send(warm_up, gmail, 4, morning);
  warm_up.see("main", "9.9.9.9", {}, morning + days(1));
  EXPECT_EQ(ceiling(warm_up, gmail, morning + days(1)), 6U);
  warm_up.see("main", "9.9.9.10", {}, morning + days(1));
  EXPECT_EQ(ceiling(warm_up, gmail, morning + days(1)), 4U);
}

TEST(WarmUp, takes_the_settings_word_for_since_when) {
  WarmUp warm_up(options());
  warm_up.see("main", "9.9.9.9", morning - days(400), morning);
  EXPECT_EQ(warm_up.today(gmail, morning), std::nullopt);
  warm_up.see("main", "9.9.9.9", morning - days(3), morning);
  EXPECT_EQ(ceiling(warm_up, gmail, morning), 4U);
}

TEST(WarmUp, happens_only_where_it_is_told_to_when_it_is_not_automatic) {
  auto given = options();
  given.automatic = false;
  auto warm_up = new_source(given);
  EXPECT_EQ(warm_up.today(gmail, morning), std::nullopt);
  warm_up.see("main", "9.9.9.9", morning, morning);
  EXPECT_EQ(ceiling(warm_up, gmail, morning), 4U);
}

TEST(WarmUp, is_the_same_after_its_records_were_taken_in) {
  auto warm_up = new_source();
  send(warm_up, gmail, 3, morning);
  warm_up.on_deferred_for_reputation({"main", ""}, morning);
  WarmUp again(options());
  for (const auto& [source, json] : warm_up.take_changes()) again.take_in(source, json);
  EXPECT_TRUE(warm_up.take_changes().empty());
  for (const auto* provider : {"gmail", "", "outlook"})
    for (const auto later : {hours(0), hours(30)})
      EXPECT_EQ(again.today({"main", provider}, morning + later),
                warm_up.today({"main", provider}, morning + later))
          << provider;
}

TEST(WarmUp, takes_what_it_cannot_read_as_lost) {
  const std::string good =
      R"({"address":"9.9.9.9","since_ms":1728000000000,"providers":{"gmail":{"day":20000,"ceiling":25,"accepted":1,"shrunk":false}}})";
  const auto with = [&good](std::string_view what, std::string_view other) {
    auto text = good;
    return text.replace(text.find(what), what.size(), other);
  };
  struct Case {
    std::string json;
    std::size_t ceiling;
  };
  for (const auto& [json, expected] : {Case{good, 25},
                                       Case{"", 4},
                                       Case{"[]", 4},
                                       Case{good.substr(0, 60), 4},
                                       Case{with("9.9.9.9", "9.9.9.8"), 4},
                                       Case{with("25", "-25"), 4},
                                       Case{with("25", "99999999999"), 4},
                                       Case{with("25", "2.5e9"), 4},
                                       Case{with("20000", "\"x\""), 4},
                                       Case{with("false", "0"), 4},
                                       Case{with("1728000000000", "null"), 4}}) {
    WarmUp warm_up(options());
    warm_up.take_in("main", json);
    warm_up.see("main", "9.9.9.9", {}, morning);
    EXPECT_EQ(ceiling(warm_up, gmail, morning), expected) << json;
  }
  WarmUp nameless(options());  // one whose address is not known
  nameless.take_in("main", with("9.9.9.9", ""));
  nameless.see("main", "", {}, morning);
  EXPECT_EQ(ceiling(nameless, gmail, morning), 25U);
}

TEST(WarmUp, is_bounded) {
  auto warm_up = new_source();
  for (std::size_t i = 0; i < WarmUp::providers_max + 50; ++i)
    warm_up.on_start({"main", "p" + std::to_string(i)}, morning);
  EXPECT_LE(warm_up.providers("main", morning).size(), WarmUp::providers_max + 1);
  EXPECT_EQ(warm_up.today({"main", "one more"}, morning), warm_up.today({"main", ""}, morning));
  EXPECT_EQ(warm_up.today({"main", ""}, morning)->under_way, 50U);
}

// Whatever happens, in whatever order: no day has more than its ceiling was at most, a ceiling
// grows by a used day alone, and not after distrust.
TEST(WarmUp, keeps_its_laws) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    auto warm_up = new_source();
    std::size_t before = 4;
    for (int day = 0; day < 30; ++day) {
      const auto now = morning + days(day);
      const auto most = ceiling(warm_up, gmail, now);
      if (most == 0) break;
      std::size_t accepted = 0;
      std::size_t under_way = 0;
      bool distrusted = false;
      for (int step = 0; step < 40; ++step) {
        const auto dice = random() % 16;
        if (dice < 8 && warm_up.has_room(gmail, now)) {
          warm_up.on_start(gmail, now);
          ++under_way;
        } else if (under_way > 0) {
          --under_way;
          if (dice == 15) {
            warm_up.on_deferred_for_reputation(gmail, now);
            distrusted = true;
          } else if (dice > 10) {
            warm_up.on_not_accepted(gmail, now);
          } else {
            warm_up.on_accepted(gmail, now);
            ++accepted;
          }
        }
        ASSERT_LE(accepted + under_way, most);
        if (dice == 9) {
          WarmUp again(options());
          for (const auto& [source, json] : warm_up.take_changes()) again.take_in(source, json);
          // What was under way ended with the process.
          if (under_way == 0 && !again.providers("main", now).empty()) warm_up = std::move(again);
        }
      }
      while (under_way-- > 0) warm_up.on_not_accepted(gmail, now);
      const auto next = ceiling(warm_up, gmail, now + days(1));
      const auto now_at = ceiling(warm_up, gmail, now);
      EXPECT_LE(now_at, most);
      if (next > now_at || next == 0) {
        EXPECT_FALSE(distrusted);
        EXPECT_GE(accepted, most / 2);
      } else {
        EXPECT_EQ(next, now_at);
      }
      before = next;
    }
    EXPECT_NE(before, 1U);
  }
}

}  // namespace
}  // namespace tapal::shaping
