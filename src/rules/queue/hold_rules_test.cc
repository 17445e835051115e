#include "rules/queue/hold_rules.h"

#include <gtest/gtest.h>

#include "rules/queue/message_life.h"

namespace tapal::queue {
namespace {

using namespace std::chrono_literals;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};

HoldRule rule(std::uint32_t number, std::string domain, std::optional<WallTime> until = {}) {
  HoldRule rule{number, {}, "outage", until};
  rule.filter.domain = std::move(domain);
  return rule;
}

Message a_message() {
  mail::Envelope envelope{.return_path = mail::Address{"a", "own.example"}};
  envelope.recipients = {{.address = {"x", "far.example"}},
                         {.address = {"y", "near.example"}},
                         {.address = {"z", "far.example"}}};
  auto message = new_message(QueueId{7}, std::move(envelope), noon);
  message.recipients[2].state = State::held;  // by hand
  return message;
}

TEST(HoldRules, hold_what_matches_and_nothing_else) {
  HoldRules rules;
  EXPECT_EQ(rules.with_held(a_message(), {noon}), a_message());
  rules.put(rule(2, "far.example"));
  rules.put(rule(1, ".example"));
  const auto shown = rules.with_held(a_message(), {noon});
  for (const auto& state : shown.recipients) EXPECT_EQ(state.state, State::held);
  const auto holders = rules.holders(a_message(), {noon});
  EXPECT_EQ(holders[0]->number, 1U) << "the first is named";
  EXPECT_EQ(holders[1]->number, 1U);
  EXPECT_EQ(holders[2], nullptr) << "a hand held it";
  EXPECT_EQ(rules.take(1)->filter.domain, ".example");
  EXPECT_FALSE(rules.take(1));
  EXPECT_EQ(rules.holders(a_message(), {noon})[0]->number, 2U);
  EXPECT_EQ(rules.with_held(a_message(), {noon}).recipients[1].state, State::waiting);
}

TEST(HoldRules, are_numbered_and_end_in_time) {
  HoldRules rules;
  EXPECT_EQ(rules.next_number(), 1U);
  EXPECT_FALSE(rules.next_end());
  rules.put(rule(1, "a.example"));
  EXPECT_FALSE(rules.next_end());
  rules.put(rule(2, "b.example", noon + 2h));
  rules.put(rule(3, "c.example", noon + 1h));
  EXPECT_EQ(rules.next_end(), noon + 1h);
  EXPECT_EQ(rules.next_number(), 4U);
}

TEST(HoldRules, come_back_from_their_json) {
  for (const auto& kept : {rule(3, "a.example"), rule(4, ".a.example", noon)})
    EXPECT_EQ(hold_rule_from_json(to_json(kept)).value(), kept);
  for (const auto* json : {"",
                           "[]",
                           "{}",
                           R"({"filter":{"x":1}})",
                           R"({"filter":{},"until":"x"})",
                           R"({"filter":{},"number":-1})",
                           R"({"filter":{},"note":7})"})
    EXPECT_FALSE(hold_rule_from_json(json)) << json;
}

TEST(HoldRules, are_about_what_a_message_is) {
  EXPECT_TRUE(check(rule(1, "a.example")));
  struct Case {
    std::string_view part;
    std::function<void(HoldRule&)> change;
  };
  const Case cases[] = {
      {"all mail", [](HoldRule& rule) { rule.filter = {}; }},
      {"not about ids", [](HoldRule& rule) { rule.filter.ids = {QueueId{1}}; }},
      {"not about ids", [](HoldRule& rule) { rule.filter.older = 1h; }},
      {"not about ids", [](HoldRule& rule) { rule.filter.held = true; }},
      {"500", [](HoldRule& rule) { rule.note = std::string(501, 'x'); }},
  };
  for (const auto& c : cases) {
    auto wrong = rule(1, "a.example");
    c.change(wrong);
    const auto checked = check(wrong);
    ASSERT_FALSE(checked) << c.part;
    EXPECT_TRUE(checked.error().what.contains(c.part)) << checked.error().what;
  }
}

}  // namespace
}  // namespace tapal::queue
