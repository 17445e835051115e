#include "rules/shaping/sources.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

namespace tapal::shaping {
namespace {

bool anywhere(const Source& /*source*/) { return true; }

using queue::Crossing;
using queue::Obstacle;
using queue::Sender;
using queue::Urgency;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr WallTime morning{days(20'000) + hours(6)};
const Sender ann{"ann@own.example", "own.example", false};

Crossing crossing(QueueId id, const Sender& sender = ann, WallTime now = morning) {
  return {"mx.far.example", sender, id, Urgency::usual, now};
}

Source source(std::string name, std::size_t weight = 1) {
  return {.name = std::move(name), .ipv4 = IpAddress::v4({9, 9, 9, 9}), .weight = weight};
}

std::string chosen(const Sources& sources, const Crossing& to, std::string_view provider = "") {
  const auto answer = sources.choose(provider, to, anywhere);
  if (answer) return answer.value()->name;
  return fmt::format("obstacle {}", static_cast<int>(answer.error().reason));
}

TEST(Sources, are_one_without_a_name_where_nothing_is_set) {
  const Sources sources({});
  const auto answer = sources.choose("", crossing({1}), anywhere);
  ASSERT_TRUE(answer);
  EXPECT_EQ(**answer, Source{.system_chooses = true});
  EXPECT_EQ(sources.look("", crossing({1})), std::nullopt);
}

TEST(Sources, share_messages_by_their_weights) {
  const Sources sources({.sources = {source("a", 1), source("b", 2), source("c", 5)}});
  std::map<std::string, double> share;
  constexpr std::uint64_t messages = 20'000;
  for (std::uint64_t id = 1; id <= messages; ++id) share[chosen(sources, crossing({id}))] += 1;
  EXPECT_NEAR(share["a"] / messages, 1.0 / 8, 0.01);
  EXPECT_NEAR(share["b"] / messages, 2.0 / 8, 0.015);
  EXPECT_NEAR(share["c"] / messages, 5.0 / 8, 0.015);
}

TEST(Sources, stay_with_a_message_when_others_come_and_go) {
  const Sources three({.sources = {source("a"), source("b"), source("c")}});
  const Sources two({.sources = {source("c"), source("a")}});
  std::size_t moved = 0;
  for (std::uint64_t id = 1; id <= 1000; ++id) {
    const auto before = chosen(three, crossing({id}));
    const auto after = chosen(two, crossing({id}, ann, morning + days(3)));
    if (before == "b") ++moved;
    if (before != "b") {
      EXPECT_EQ(before, after);
    }
  }
  EXPECT_GT(moved, 250U);
}

TEST(Sources, are_chosen_by_the_kind_of_mail) {
  SourceOptions options;
  for (const auto* name : {"one", "two", "three", "four", "five"})
    options.sources.push_back(source(name));
  options.pools = {{"usual", {"one"}, {}, {}},
                   {"forwarded", {"two"}, {}, {}},
                   {"notices", {"three"}, {}, {}},
                   {"news", {"four"}, {"news.example"}, {}},
                   {"shop", {"five"}, {}, {"shop@own.example"}}};
  options.pool = "usual";
  options.forwarding_pool = "forwarded";
  options.notices_pool = "notices";
  const Sources all(options);
  options.forwarding_pool = options.notices_pool = {};
  const Sources some(options);
  struct Case {
    const char* name;
    Sender sender;
    std::string_view in_all;
    std::string_view in_some;
  };
  for (const auto& c : {
           Case{"submitted", ann, "one", "one"},
           Case{"forwarded", {"", "own.example", true}, "two", "one"},
           Case{"forwarded, of a claimed domain", {"", "news.example", true}, "two", "one"},
           Case{"forwarded bounce", {"", "", true}, "two", "one"},
           Case{"notice", {}, "three", "one"},
           Case{"of a domain", {"x@news.example", "news.example", false}, "four", "four"},
           Case{"of a user", {"shop@own.example", "news.example", false}, "five", "five"},
           Case{"a user's receipt", {"ann@own.example", "", false}, "one", "one"},
       }) {
    EXPECT_EQ(chosen(all, crossing({1}, c.sender)), c.in_all) << c.name;
    EXPECT_EQ(chosen(some, crossing({1}, c.sender)), c.in_some) << c.name;
  }
}

TEST(Sources, are_left_out_when_they_cannot_be_used) {
  Sources sources({.sources = {source("a"), source("b")}});
  EXPECT_TRUE(sources.mark("a", {false, false, "9.9.9.9 has no name (PTR)"}));
  EXPECT_FALSE(sources.mark("a", {false, false, "9.9.9.9 has no name (PTR)"}));
  EXPECT_FALSE(sources.mark("nobody", {}));
  for (std::uint64_t id = 1; id <= 50; ++id) EXPECT_EQ(chosen(sources, crossing({id})), "b");
  sources.mark("b", {false, false, "9.9.9.9 is not on this machine"});
  const auto look = sources.look("", crossing({1}));
  ASSERT_TRUE(look);
  EXPECT_EQ(look->reason, Obstacle::Reason::source_unusable);
  EXPECT_EQ(look->scope, Obstacle::Scope::site);
  EXPECT_EQ(look->until, morning + minutes(1));
  EXPECT_EQ(look->text,
            "source a cannot be used: 9.9.9.9 has no name (PTR); source b cannot be used: 9.9.9.9 "
            "is not on this machine");
  const auto answer = sources.choose("", crossing({1}), anywhere);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text, "");
}

TEST(Sources, are_given_a_rest_at_a_site_alone) {
  Sources sources({.sources = {source("a"), source("b")}});
  sources.suspend("a", {"mx.far.example", morning + hours(2), "421 4.7.28 slow"}, morning);
  sources.suspend("b", {"mx.far.example", morning + hours(1), "550 listed"}, morning);
  sources.suspend("b", {"mx.other.example", morning + hours(9), "550 listed"}, morning);
  const auto look = sources.look("", crossing({1}));
  ASSERT_TRUE(look);
  EXPECT_EQ(look->reason, Obstacle::Reason::source_suspended);
  EXPECT_EQ(look->until, morning + hours(1)) << "the first to come back";
  EXPECT_EQ(look->text,
            "source a is not used at mx.far.example, which said: 421 4.7.28 slow; source b is not "
            "used at mx.far.example, which said: 550 listed");
  EXPECT_EQ(chosen(sources, crossing({1}, ann, morning + hours(1))), "b");
  EXPECT_EQ(sources.suspensions("b", morning + hours(1)).size(), 1U);
  sources.forgive("mx.far.example");
  EXPECT_EQ(sources.look("", crossing({1})), std::nullopt);
}

TEST(Sources, give_way_to_others_when_a_provider_had_enough_for_today) {
  SourceOptions options{.sources = {source("new", 1'000'000), source("old")}};
  options.warm_up.starts["gmail"] = 2;
  options.warm_up.start = 5;
  Sources sources(options);
  sources.warm_up().see("new", "9.9.9.9", {}, morning);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(chosen(sources, crossing({7}), "gmail"), "new");
    sources.warm_up().on_start({"new", "gmail"}, morning);
  }
  EXPECT_EQ(chosen(sources, crossing({7}), "gmail"), "old");
  EXPECT_EQ(chosen(sources, crossing({7})), "new") << "at others it may go on";
  sources.mark("old", {false, false, "gone"});
  auto look = sources.look("gmail", crossing({7}));
  ASSERT_TRUE(look);
  EXPECT_EQ(look->until, morning + minutes(1)) << "what is under way may come back";
  for (int i = 0; i < 2; ++i) sources.warm_up().on_accepted({"new", "gmail"}, morning);
  sources.mark("old", {});
  sources.suspend("old", {"mx.far.example", morning + days(2), "550 no"}, morning);
  look = sources.look("gmail", crossing({7}));
  ASSERT_TRUE(look);
  EXPECT_EQ(look->reason, Obstacle::Reason::warm_up);
  EXPECT_EQ(look->until, WallTime(days(20'001)));
  EXPECT_TRUE(
      look->text.starts_with("source new is new to gmail, which had its 2 messages of "
                             "today or is getting the last of them; "))
      << look->text;
}

TEST(Sources, hold_back_only_the_senders_of_a_pool_where_there_are_several) {
  Sources sources({.sources = {source("a"), source("b")},
                   .pools = {{"news", {"a"}, {"news.example"}, {}}},
                   .pool = ""});
  sources.mark("a", {false, false, "gone"});
  const Sender news{"", "news.example", false};
  const auto look = sources.look("", crossing({1}, news));
  ASSERT_TRUE(look);
  EXPECT_EQ(look->scope, Obstacle::Scope::sender);
  EXPECT_EQ(chosen(sources, crossing({1})), "b");
}

TEST(Sources, let_a_last_attempt_go_from_the_best_there_is) {
  Sources sources({.sources = {source("a"), source("b"), source("c", 1000)}});
  auto last = crossing({1});
  last.urgency = Urgency::last;
  sources.mark("c", {false, false, "gone"});
  sources.suspend("a", {"mx.far.example", morning + hours(1), "no"}, morning);
  EXPECT_EQ(chosen(sources, last), "b");
  sources.mark("b", {false, false, "gone"});
  EXPECT_EQ(chosen(sources, last), "a");
  sources.mark("a", {false, false, "gone"});
  EXPECT_EQ(chosen(sources, last), "c");
}

TEST(Sources, remember_no_end_of_suspensions) {
  Sources sources({});
  for (std::size_t i = 0; i < Sources::suspensions_max + 100; ++i)
    sources.suspend("", {fmt::format("site{}", i), morning + minutes(1 + i), "no"}, morning);
  const auto left = sources.suspensions("", morning);
  EXPECT_EQ(left.size(), Sources::suspensions_max);
  EXPECT_TRUE(std::ranges::none_of(left, [](const auto& one) { return one.site == "site0"; }));
}

}  // namespace
}  // namespace tapal::shaping
