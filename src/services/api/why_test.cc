#include "services/api/why.h"

#include <gtest/gtest.h>

#include "rules/queue/message_life.h"

namespace tapal::api {
namespace {

using Reason = queue::WaitFact::Reason;

constexpr WallTime now{std::chrono::days(20'779)};  // 2026-11-22

queue::Message a_message() {
  mail::Envelope envelope{.return_path = mail::Address{"a", "own.example"}};
  envelope.recipients = {{.address = {"x", "far.example"}}};
  return queue::new_message(QueueId{1}, std::move(envelope), now - std::chrono::minutes(90));
}

std::string explain(const queue::Message& message, std::vector<queue::WaitFact> facts = {}) {
  return explain_waiting(message, facts, now);
}

TEST(ExplainWaiting, says_where_the_message_comes_from) {
  auto message = a_message();
  EXPECT_EQ(explain(message),
            "Message " + QueueId{1}.text() +
                " from <a@own.example> arrived 1h30m ago, at 2026-11-21T22:30:00.000Z. "
                "<x@far.example> was not tried yet.");
  message.recipients[0].recipient.handover = {mail::Handover::Kind::program, {}, {"/bin/x", "-y"}};
  EXPECT_TRUE(explain(message).ends_with("<x@far.example> (program /bin/x) was not tried yet."));
  message.envelope.return_path.reset();
  EXPECT_TRUE(explain(message).contains(" from <> arrived "));
  message.arrived = now + std::chrono::hours(1);  // the clock was set back
  EXPECT_TRUE(explain(message).contains(" arrived 0s ago")) << explain(message);
}

TEST(ExplainWaiting, has_a_sentence_for_each_reason) {
  struct Case {
    Reason reason;
    std::string_view name;
    std::string_view limit;
    std::string sentence;
    std::string change;
  };
  const auto id = QueueId{1}.text();
  const Case cases[] = {
      {Reason::time,
       "time",
       "",
       "the next attempt is in 5m, at 2026-11-22T00:05:00.000Z",
       "`tapal queue retry " + id + "` tries now"},
      {Reason::held, "held", "", "held by hand", "`tapal queue release " + id + "` lets it go on"},
      {Reason::rule,
       "rule",
       "",
       "held by rule 3 (they move) until 2026-11-22T00:05:00.000Z",
       "`tapal queue rule del 3` ends the rule"},
      {Reason::in_flight, "in_flight", "", "being tried right now", ""},
      {Reason::site_limit,
       "site_limit",
       "delivery.connections_per_destination_max",
       "due, but as many connections as allowed are busy there with 2 other messages",
       "it goes on when one of them ends"},
      {Reason::total_limit,
       "total_limit",
       "delivery.connections_max",
       "due, but as many connections as allowed are busy",
       "it goes on when one of them ends"},
      {Reason::turn, "turn", "", "due, waiting for its turn", ""},
  };
  for (const auto& c : cases) {
    const queue::WaitFact fact{.reason = c.reason,
                               .destination = "far.example",
                               .recipients = {0, 4},
                               .due = now + std::chrono::minutes(5),
                               .occupied_by = {QueueId{2}, QueueId{3}},
                               .rule = 3,
                               .note = "they move"};
    const auto text = wait_text(a_message(), fact, now);
    EXPECT_EQ(text.reason, c.name);
    EXPECT_EQ(text.limit, c.limit);
    EXPECT_EQ(text.sentence, c.sentence);
    EXPECT_EQ(text.change, c.change);
    const auto paragraph = explain(a_message(), {fact});
    EXPECT_TRUE(paragraph.ends_with("Waiting: 2 recipients at far.example: " + c.sentence +
                                    (c.change.empty() ? "" : "; ") + c.change + "."))
        << paragraph;
  }
  EXPECT_TRUE(explain(a_message(), {{.destination = "far.example", .recipients = {0}}})
                  .contains("one recipient at far.example"));
  EXPECT_TRUE(
      explain(a_message(), {{.destination = "far.example", .site = "gmail", .recipients = {0}}})
          .contains("one recipient at far.example (gmail)"));
  const queue::WaitFact endless{.reason = Reason::rule, .rule = 1};
  EXPECT_EQ(wait_text(a_message(), endless, now).sentence, "held by rule 1 until somebody ends it");
}

TEST(ExplainWaiting, has_a_word_for_each_way_in_which_the_gate_refuses) {
  using Blocked = queue::Obstacle::Reason;
  const struct {
    Blocked reason;
    std::string_view name;
    std::string_view limit;
    std::string_view change;
  } cases[] = {
      {Blocked::site_connections, "site_connections", "", "it goes on when one of them ends"},
      {Blocked::site_rate, "site_rate", "", "providers.toml has the limit"},
      {Blocked::site_suspended, "site_suspended", "", "does not wait for that"},
      {Blocked::source_unusable, "source_unusable", "", "`tapal sources`"},
      {Blocked::source_suspended, "source_suspended", "", "does not wait for that"},
      {Blocked::warm_up, "warm_up", "", "`tapal sources`"},
      {Blocked::sender_rate, "sender_rate", "shaping.messages_per_sender_domain", ""},
      {Blocked::sender_suspended, "sender_suspended", "", "does not wait for that"},
      {Blocked::user_rate, "user_rate", "shaping.messages_per_user", ""},
      {Blocked::user_connections, "user_connections", "shaping.connections_per_user_max", ""},
  };
  for (const auto& c : cases) {
    queue::WaitFact fact{.reason = Reason::gate, .destination = "far.example"};
    fact.obstacle = {.reason = c.reason, .text = "they said so"};
    EXPECT_EQ(wait_text(a_message(), fact, now).sentence, "due, but they said so");
    fact.obstacle.until = now + std::chrono::minutes(9);
    const auto text = wait_text(a_message(), fact, now);
    EXPECT_EQ(text.reason, c.name);
    EXPECT_EQ(text.limit, c.limit);
    EXPECT_EQ(text.sentence, "due, but they said so, until 2026-11-22T00:09:00.000Z");
    EXPECT_TRUE(text.change.contains(c.change)) << text.change;
  }
}

TEST(ExplainWaiting, repeats_the_last_answer) {
  auto message = a_message();
  auto& state = message.recipients[0];
  state.attempts = 2;
  state.last_attempt = now - std::chrono::minutes(3);
  state.last = {"4.2.1", "450 4.2.1 greylisted", "mx.far.example 9.9.9.1:25"};
  EXPECT_TRUE(explain(message).ends_with(
      "<x@far.example> waits after 2 attempts; the last answer 3m ago by mx.far.example "
      "9.9.9.1:25: 450 4.2.1 greylisted."))
      << explain(message);
  state.attempts = 1;
  state.state = queue::State::failed;
  EXPECT_TRUE(explain(message).contains("failed for good after 1 attempt; "));
  state.state = queue::State::delivered;
  state.last.remote.clear();
  EXPECT_TRUE(
      explain(message).contains("was delivered after 1 attempt; the last answer 3m ago: 450"));
}

}  // namespace
}  // namespace tapal::api
