#include <optional>

#include <gtest/gtest.h>

#include "services/delivery/dispatcher_test_world.h"

namespace tapal::delivery {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Result = FirstTry::Result;

std::optional<smtp::Reply> spam(const mail::Recipient&) {
  return smtp::make_reply(550, "5.7.1", "looks like spam");
}

// Somebody else's mail whose sender is still there, for a minute.
struct World : DispatcherTestWorld {
  std::optional<FirstTry> first;

  void receive(const std::string& to) {
    auto [message, body] =
        keep(Mail{.to = {to}, .from = mail::Address{"x", "other.example"}}, loop.wall_now());
    const auto wait = [](World& w, queue::Message kept, BodyPtr text) -> Task<void> {
      w.first = co_await w.dispatcher->accept_and_try(
          w.loop, std::move(kept), std::move(text), seconds(60));
    };
    running.spawn(wait(*this, std::move(message), std::move(body)));
    loop.run();
  }
};

TEST(FirstTries, tell_the_session_that_the_message_was_taken) {
  World w;
  w.peer("far.example", "9.9.9.1");
  w.start();
  w.receive("x@far.example");
  w.loop.run_for(seconds(5));
  ASSERT_TRUE(w.first);
  EXPECT_EQ(w.first->result, Result::delivered);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(FirstTries, tell_the_session_of_a_refusal_and_nobody_else) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = spam;
  w.peer("other.example", "9.9.9.2");
  w.start();
  w.receive("x@far.example");
  w.loop.run_for(hours(1));
  ASSERT_TRUE(w.first);
  EXPECT_EQ(w.first->result, Result::refused);
  EXPECT_TRUE(w.first->outcome.text.contains("looks like spam"));
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_TRUE(w.store.notice_commits.empty());
}

TEST(FirstTries, leave_a_deferred_message_to_the_queue) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = try_later;
  w.start();
  w.receive("x@far.example");
  w.loop.run_for(seconds(5));
  ASSERT_TRUE(w.first);
  EXPECT_EQ(w.first->result, Result::queued);
  EXPECT_EQ(w.store.memory.size(), 1U);
}

TEST(FirstTries, answer_for_a_message_whose_refusal_came_too_late_for_its_session) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.stored = [](const auto&) { return smtp::make_reply(550, "5.7.1", "looks like spam"); };
  far.plan.delay_at_end = seconds(90);
  w.peer("other.example", "9.9.9.2");
  w.start();
  w.receive("x@far.example");
  w.loop.run_for(seconds(61));
  ASSERT_TRUE(w.first);
  EXPECT_EQ(w.first->result, Result::queued);
  w.loop.run_for(hours(24));
  EXPECT_EQ(w.store.notice_commits.size(), 1U);  // its sender passed our checks: it is told
}

TEST(FirstTries, let_sessions_go_when_the_server_stops) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.delay_at_end = seconds(50);
  w.start();
  w.receive("x@far.example");
  EXPECT_FALSE(w.first);
  w.dispatcher->release_sessions();
  w.loop.run();
  ASSERT_TRUE(w.first);
  EXPECT_EQ(w.first->result, Result::queued);
  w.receive("y@far.example");
  EXPECT_EQ(w.first->result, Result::queued);
}

}  // namespace
}  // namespace tapal::delivery
