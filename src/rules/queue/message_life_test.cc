#include "rules/queue/message_life.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tapal::queue {
namespace {

using namespace std::chrono_literals;
using Result = Attempted::Result;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};

Message message_to(std::size_t recipients) {
  mail::Envelope envelope;
  envelope.return_path = mail::Address{"sender", "example.com"};
  for (std::size_t i = 0; i < recipients; ++i) {
    envelope.recipients.push_back({{fmt::format("user{}", i), "example.org"}, {}, "", {}});
  }
  Message message = new_message(QueueId{1}, std::move(envelope), noon);
  message.origin.authenticated = true;
  return message;
}

void attempt(Message& message, Result result, WallTime now) {
  const Attempted results[] = {{0, result, {"4.2.0", "busy", "mx.example.org"}}};
  apply_attempt(message, results, RetrySchedule(), now, 1ULL << 63U);
}

TEST(MessageLife, a_new_message_waits_for_its_first_attempt_at_once) {
  const Message message = message_to(2);
  EXPECT_TRUE(message.envelope.recipients.empty());
  ASSERT_EQ(message.recipients.size(), 2U);
  EXPECT_EQ(message.recipients[1].recipient.address.local, "user1");
  EXPECT_EQ(next_attempt(message), noon);
  EXPECT_FALSE(finished(message));
}

TEST(MessageLife, each_result_ends_or_defers_its_recipient_only) {
  Message message = message_to(4);
  const Attempted results[] = {{0, Result::delivered, {"2.0.0", "ok", "mx"}},
                               {1, Result::failed, {"5.1.1", "no such user", "mx"}},
                               {2, Result::deferred, {"4.2.2", "full", "mx"}},
                               {99, Result::failed, {}}};
  apply_attempt(message, results, RetrySchedule(), noon + 1s, 1ULL << 63U);
  EXPECT_EQ(message.recipients[0].state, State::delivered);
  EXPECT_EQ(message.recipients[1].state, State::failed);
  EXPECT_EQ(message.recipients[2].state, State::waiting);
  EXPECT_EQ(message.recipients[2].next_attempt, noon + 61s);
  EXPECT_EQ(message.recipients[2].last.text, "full");
  EXPECT_EQ(message.recipients[3], message_to(4).recipients[3]);
}

TEST(MessageLife, the_first_end_stands) {
  Message message = message_to(1);
  attempt(message, Result::delivered, noon);
  const Message delivered = message;
  attempt(message, Result::failed, noon);
  attempt(message, Result::deferred, noon);
  EXPECT_EQ(message, delivered);
  EXPECT_EQ(hold(message) + release(message, noon) + retry_now(message, noon), 0U);
  EXPECT_EQ(message, delivered);
}

TEST(MessageLife, the_last_attempt_is_at_the_give_up_time_and_then_it_has_failed) {
  Message message = message_to(1);
  WallTime now = noon;
  std::uint32_t attempts = 0;
  while (message.recipients[0].state == State::waiting) {
    now = message.recipients[0].next_attempt;
    attempt(message, Result::deferred, now);
    ASSERT_LT(++attempts, 100U);
  }
  EXPECT_EQ(now, noon + 5 * 24h);
  EXPECT_EQ(message.recipients[0].attempts, attempts);
  EXPECT_EQ(message.recipients[0].state, State::failed);
  EXPECT_EQ(message.recipients[0].last.status, "5.4.7");
  EXPECT_NE(message.recipients[0].last.text.find("4.2.0 busy"), std::string::npos);
}

TEST(MessageLife, expiry_spares_the_never_tried_the_held_and_the_young) {
  Message message = message_to(3);
  message.recipients[0].attempts = 3;
  message.recipients[2].attempts = 3;
  message.recipients[2].state = State::held;
  EXPECT_EQ(expire(message, RetrySchedule(), noon + 4 * 24h), 0U);
  EXPECT_EQ(expire(message, RetrySchedule(), noon + 6 * 24h), 1U);
  EXPECT_EQ(message.recipients[0].state, State::failed);
  EXPECT_EQ(message.recipients[1].state, State::waiting);
  EXPECT_EQ(message.recipients[2].state, State::held);
}

TEST(MessageLife, held_while_in_flight_stays_held_unless_it_ended) {
  for (const Result result : {Result::delivered, Result::failed, Result::deferred}) {
    Message message = message_to(1);
    EXPECT_EQ(hold(message), 1U);
    EXPECT_EQ(next_attempt(message), std::nullopt);
    attempt(message, result, noon + 6 * 24h);
    const State expected = result == Result::delivered ? State::delivered
                           : result == Result::failed  ? State::failed
                                                       : State::held;
    EXPECT_EQ(message.recipients[0].state, expected);
    EXPECT_EQ(message.recipients[0].attempts, 1U);
  }
}

TEST(MessageLife, released_and_retried_are_due_now) {
  Message message = message_to(1);
  attempt(message, Result::deferred, noon);
  EXPECT_EQ(retry_now(message, noon + 5s), 1U);
  EXPECT_EQ(next_attempt(message), noon + 5s);
  hold(message);
  EXPECT_EQ(release(message, noon + 9s), 1U);
  EXPECT_EQ(next_attempt(message), noon + 9s);
}

TEST(MessageLife, is_finished_only_when_the_sender_was_told_what_is_due) {
  Message message = message_to(1);
  auto& recipient = message.recipients[0];
  EXPECT_FALSE(finished(message));
  recipient.state = State::failed;
  EXPECT_FALSE(finished(message));
  recipient.sender_told = true;
  EXPECT_TRUE(finished(message));
  recipient.sender_told = false;
  recipient.recipient.notify.never = true;
  EXPECT_TRUE(finished(message));
  recipient.recipient.notify = {};
  message.origin.authenticated = false;  // nobody may be told
  EXPECT_TRUE(finished(message));
  message.origin.authenticated = true;
  message.envelope.return_path.reset();
  EXPECT_TRUE(finished(message));
}

TEST(MessageLife, is_finished_after_delivery_unless_success_was_to_be_told) {
  Message message = message_to(1);
  message.recipients[0].state = State::delivered;
  EXPECT_TRUE(finished(message));
  message.recipients[0].recipient.notify.success = true;
  EXPECT_FALSE(finished(message));
  message.recipients[0].sender_told = true;
  EXPECT_TRUE(finished(message));
}

// Laws under any sequence: an end is final, attempts are counted, nobody waits past the give-up.
TEST(MessageLife, whatever_happens_every_recipient_ends_exactly_once) {
  const RetrySchedule schedule;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    Message message = message_to(1 + random() % 5);
    std::vector<std::uint32_t> attempts(message.recipients.size());
    std::vector<std::optional<State>> ends(message.recipients.size());
    WallTime now = noon;
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::minutes(random() % 240);
      switch (random() % 8) {
        case 0: hold(message); break;
        case 1: release(message, now); break;
        case 2: retry_now(message, now); break;
        case 3: expire(message, schedule, now); break;
        default: {
          Attempted result;
          result.recipient = static_cast<std::uint32_t>(random() % (message.recipients.size() + 1));
          result.result = random() % 20 == 0   ? Result::delivered
                          : random() % 20 == 0 ? Result::failed
                                               : Result::deferred;
          if (result.recipient < ends.size() && !ends[result.recipient])
            ++attempts[result.recipient];
          apply_attempt(message, {&result, 1}, schedule, now, random());
        }
      }
      for (std::size_t i = 0; i < ends.size(); ++i) {
        const RecipientState& state = message.recipients[i];
        ASSERT_EQ(state.attempts, attempts[i]) << "seed " << seed << ", step " << step;
        if (ends[i])
          ASSERT_EQ(state.state, *ends[i]) << "seed " << seed << ", step " << step;
        else if (has_ended(state))
          ends[i] = state.state;
        if (state.state == State::waiting && state.attempts > 0) {
          ASSERT_LE(state.next_attempt, std::max(now, schedule.expires(noon)));
        }
      }
    }
    release(message, now);
    while (const auto next = next_attempt(message)) {
      now = std::max(now, *next);
      for (std::uint32_t i = 0; i < ends.size(); ++i) {
        const Attempted result{i, Result::deferred, {}};
        apply_attempt(message, {&result, 1}, schedule, now, random());
      }
    }
    for (auto& recipient : message.recipients) recipient.sender_told = has_ended(recipient);
    EXPECT_TRUE(finished(message)) << "seed " << seed;
  }
}

TEST(MessageLife, what_may_have_been_delivered_waits) {
  Message message;
  for (const State state : {State::waiting, State::delivered, State::held, State::waiting}) {
    message.recipients.emplace_back().state = state;
  }
  const WallTime until{std::chrono::hours(1)};
  message.recipients[3].next_attempt = until + std::chrono::hours(1);
  const std::uint32_t marked[] = {0, 1, 2, 3, 99};
  EXPECT_EQ(put_off(message, marked, until), 2U);
  EXPECT_EQ(message.recipients[0].next_attempt, until);
  EXPECT_EQ(message.recipients[0].last.status, "4.4.2");
  EXPECT_EQ(message.recipients[0].attempts, 1U) << "there was one";
  EXPECT_EQ(message.recipients[1].next_attempt, WallTime{});
  EXPECT_EQ(message.recipients[2].next_attempt, WallTime{}) << "held stays as it is";
  EXPECT_EQ(message.recipients[3].next_attempt, until + std::chrono::hours(1));
}

TEST(MessageLife, a_reply_may_say_when_to_try_again) {
  Message message;
  message.recipients.emplace_back();
  const WallTime now{std::chrono::hours(1'000)};
  message.arrived = now;
  const Attempted early[] = {{0, Attempted::Result::deferred, {}, std::chrono::minutes(5)}};
  apply_attempt(message, early, RetrySchedule(), now, 0);
  EXPECT_EQ(message.recipients[0].next_attempt, now + std::chrono::minutes(5));
  for (int i = 0; i < 10; ++i) apply_attempt(message, early, RetrySchedule(), now, 0);
  EXPECT_GT(message.recipients[0].next_attempt, now + std::chrono::hours(3)) << "but not for ever";
  const Attempted late[] = {{0, Attempted::Result::deferred, {}, std::chrono::hours(24)}};
  apply_attempt(message, late, RetrySchedule(), now, 0);
  EXPECT_EQ(message.recipients[0].next_attempt, now + std::chrono::hours(24));
}

}  // namespace
}  // namespace tapal::queue
