#include "rules/shaping/pauses.h"

#include <gtest/gtest.h>

namespace tapal::shaping {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const WallTime noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} + hours(12)};
const Pause whole{"mx.a.example", "", {}, noon + hours(2), "they are closed"};
const Pause one_sender{"mx.a.example", "b.example", {}, noon + hours(1), "they do not like it"};
const Pause one_source{"mx.a.example", "", "second", noon + hours(3), "too \"new\""};
const Pause usual_source{"mx.a.example", "", "", noon + hours(3), "too much"};
const Pause elsewhere{"mx.a.example.org", "", {}, noon + hours(2), "closed"};

TEST(Pauses, come_back_from_their_records) {
  Pauses before, after;
  for (const auto& pause : {whole, one_sender, one_source, usual_source}) before.add(pause, noon);
  const auto changes = before.take_changes(noon);
  ASSERT_EQ(changes.put.size(), 4U);
  EXPECT_TRUE(before.take_changes(noon).put.empty());
  std::vector<Pause> back;
  for (const auto& [key, json] : changes.put)
    if (const auto pause = after.take_in(key, json, noon + minutes(90))) back.push_back(*pause);
  EXPECT_EQ(back, (std::vector{whole, usual_source, one_source}));
  EXPECT_EQ(after.take_changes(noon + minutes(90)).removed.size(), 1U) << "that of the sender";
}

TEST(Pauses, of_a_site_end_when_somebody_knows_better) {
  Pauses pauses;
  for (const auto& pause : {whole, one_sender, one_source, elsewhere}) pauses.add(pause, noon);
  static_cast<void>(pauses.take_changes(noon));
  pauses.forget("mx.a.example");
  const auto changes = pauses.take_changes(noon);
  EXPECT_EQ(changes.removed.size(), 3U);
  EXPECT_TRUE(changes.put.empty());
}

TEST(Pauses, that_are_short_or_over_are_not_kept) {
  Pauses pauses;
  auto brief = whole;
  brief.until = noon + minutes(4);
  pauses.add(brief, noon);
  EXPECT_TRUE(pauses.take_changes(noon).put.empty());
  pauses.add(whole, noon);
  EXPECT_EQ(pauses.take_changes(noon).put.size(), 1U);
  EXPECT_EQ(pauses.take_changes(whole.until).removed.size(), 1U);
  EXPECT_TRUE(pauses.take_changes(whole.until).removed.empty());
}

TEST(Pauses, have_a_bound) {
  Pauses pauses;
  for (std::size_t i = 0; i <= Pauses::pauses_max; ++i)
    pauses.add({std::to_string(i), "", {}, noon + hours(1), ""}, noon);
  EXPECT_EQ(pauses.take_changes(noon).put.size(), Pauses::pauses_max);
}

TEST(Pauses, take_nothing_in_that_is_damaged) {
  Pauses pauses, other;
  other.add(whole, noon);
  const auto [key, json] = other.take_changes(noon).put.front();
  for (const auto& damaged : {std::string("{}"), std::string("["), json.substr(1), std::string()})
    EXPECT_FALSE(pauses.take_in(key, damaged, noon)) << damaged;
  EXPECT_FALSE(pauses.take_in("another key", json, noon));
  EXPECT_EQ(pauses.take_changes(noon).removed.size(), 2U);
}

}  // namespace
}  // namespace tapal::shaping
