#include "services/delivery/dispatcher.h"

#include <gtest/gtest.h>

#include "services/delivery/dispatcher_test_world.h"

namespace tapal::delivery {
namespace {

using smtp::make_reply;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Order = queue::Order::Kind;
using World = DispatcherTestWorld;

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

TEST(Dispatcher, delivers_what_it_is_given_and_forgets_it) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  auto& other = w.peer("other.example", "9.9.9.2");
  w.start();
  w.submit({"x@far.example", "u@own.example", "y@other.example", "z@far.example"});
  w.loop.run_for(seconds(1));
  ASSERT_EQ(far.mails.size(), 1U);
  EXPECT_EQ(far.mails[0].envelope.recipients.size(), 2U);
  EXPECT_EQ(far.mails[0].text, test_message);
  EXPECT_EQ(other.mails.size(), 1U);
  ASSERT_EQ(w.mailbox.kept["u@own.example"].size(), 1U);
  EXPECT_EQ(w.mailbox.kept["u@own.example"][0].text,
            "Return-Path: <a@own.example>\r\nDelivered-To: u@own.example\r\n" + test_message);
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(w.store.bodies_loaded, 0U);
  EXPECT_EQ(w.dispatcher->counts().messages, 0U);
  EXPECT_EQ(w.log.count("message delivered"), 4U);
  EXPECT_TRUE(w.notices().empty());
}

TEST(Dispatcher, sends_local_mail_where_a_route_leads) {
  World w;
  w.options.routes["own.example"] = Route{.host = "9.9.9.7", .port = 24};
  auto& store = w.network.at("9.9.9.7:24");
  w.start();
  w.submit({"u@own.example"});
  w.loop.run_for(seconds(1));
  EXPECT_EQ(store.mails.size(), 1U);
  EXPECT_TRUE(w.mailbox.kept.empty());
}

TEST(Dispatcher, tells_a_sender_who_asks_that_local_mail_arrived_and_leaves_the_rest_to_the_peer) {
  World w;
  w.peer("far.example", "9.9.9.1");
  w.start();
  w.submit({.to = {"u@own.example", "x@far.example"}, .notify = {.success = true}});
  w.loop.run_for(minutes(1));
  const auto text = w.notice_text();
  EXPECT_EQ(count_of(text, "Action: delivered"), 1U) << text;
  EXPECT_EQ(count_of(text, "Action: "), 1U) << text;
  EXPECT_FALSE(text.contains("Remote-MTA: ")) << text;
}

TEST(Dispatcher, tells_the_sender_once_in_the_commit_that_ends_the_message) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = [](const mail::Recipient& to) -> std::optional<smtp::Reply> {
    return to.address.local == "yes" ? std::nullopt : no_such_user(to);
  };
  w.start();
  w.submit({"no@far.example", "yes@far.example", "nope@far.example"});
  w.loop.run_for(hours(24));
  ASSERT_EQ(w.notices().size(), 1U);
  const auto text = w.notice_text();
  EXPECT_TRUE(text.starts_with("Return-Path: <>\r\n")) << text;
  EXPECT_TRUE(text.contains("\r\nDKIM-Signature: by the test\r\n")) << text;
  EXPECT_EQ(count_of(text, "Action: failed"), 2U) << text;
  EXPECT_TRUE(text.contains("no@far.example"));
  EXPECT_TRUE(text.contains("550 5.1.1 no such user"));
  EXPECT_FALSE(text.contains("Final-Recipient: rfc822; yes@far.example"));
  EXPECT_EQ(w.signatures, 1U);
  ASSERT_EQ(w.store.notice_commits.size(), 1U);
  EXPECT_EQ(w.store.notice_commits[0].states, 1U);
  EXPECT_EQ(w.store.notice_commits[0].durability, Durability::synced);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, never_answers_the_null_sender_or_mail_that_nobody_authenticated) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = no_such_user;
  w.peer("slow.example", "9.9.9.2").plan.recipient = try_later;
  w.start();
  w.submit(World::Mail{.to = {"x@far.example", "y@slow.example"}, .from = {}});
  w.submit(World::Mail{.to = {"x@far.example", "y@slow.example"}, .authenticated = false});
  w.loop.run_for(hours(24 * 6));
  EXPECT_TRUE(w.notices().empty());
  EXPECT_EQ(w.signatures, 0U);
  EXPECT_EQ(w.log.count("sender not told"), 4U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, tells_of_a_delay_after_four_hours_and_of_the_end_after_five_days) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  w.submit({"x@far.example", "y@far.example"});
  w.loop.run_for(hours(4) - minutes(1));
  EXPECT_EQ(w.notices().size(), 0U);
  w.loop.run_for(minutes(2));
  ASSERT_EQ(w.notices().size(), 1U);
  EXPECT_EQ(count_of(w.notice_text(), "Action: delayed"), 2U);
  w.loop.run_for(hours(24 * 5) - hours(5));
  EXPECT_EQ(w.notices().size(), 1U);
  w.loop.run_for(hours(2));
  ASSERT_EQ(w.notices().size(), 2U);
  EXPECT_EQ(count_of(w.notice_text(), "Action: failed"), 2U);
  EXPECT_EQ(w.store.memory.size(), 0U);
  for (const auto& commit : w.store.notice_commits) EXPECT_EQ(commit.states, 1U);
  EXPECT_EQ(w.signatures, 2U);
}

TEST(Dispatcher, tells_of_many_delays_with_a_few_messages_in_memory_at_a_time) {
  World w;
  w.options.cached_body_bytes_max = 0;
  w.peer("far.example", "9.9.9.1").plan.recipient = try_later;
  w.start();
  for (int i = 0; i < 50; ++i) w.submit({"x" + std::to_string(i) + "@far.example"});
  w.loop.run_for(hours(4) - minutes(1));
  const auto before = w.store.bodies_loaded;
  w.store.memory.fail_with(Error{Code::full, "no space"});
  w.loop.run_for(minutes(2));
  EXPECT_GE(w.store.bodies_loaded - before, 20U);
  EXPECT_LE(w.store.bodies_loaded - before, 25U);  // some for attempts
  w.store.memory.fail_with({});
  w.loop.run_for(minutes(2));
  EXPECT_EQ(w.notices().size(), 50U);
}

TEST(Dispatcher, tells_of_no_delay_when_delivery_came_in_time) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  w.submit({"x@far.example"});
  w.loop.run_for(hours(2));
  far.plan.recipient = {};
  w.loop.run_for(hours(10));
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_TRUE(w.notices().empty());
}

TEST(Dispatcher, keeps_an_outcome_when_the_disk_has_room_again) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  auto& bad = w.peer("bad.example", "9.9.9.2");
  bad.plan.recipient = no_such_user;
  w.start();
  far.plan.delay_at_end = seconds(1);
  bad.plan.delay_at_end = seconds(1);
  w.submit({"x@far.example", "y@bad.example"});
  w.store.memory.fail_with(Error{Code::full, "no space"});
  w.loop.run_for(minutes(10));
  EXPECT_GE(w.log.count("outcome not kept yet"), 500U);
  EXPECT_EQ(w.store.memory.size(), 1U);
  w.store.memory.fail_with({});
  w.loop.run_for(seconds(3));
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_EQ(w.notices().size(), 1U);
}

TEST(Dispatcher, never_lets_an_older_state_come_last) {
  World w;
  auto& fast = w.peer("fast.example", "9.9.9.1");
  auto& slow = w.peer("slow.example", "9.9.9.2");
  w.peer("dead.example", "9.9.9.3").plan.recipient = try_later;
  slow.plan.delay_at_end = milliseconds(700);
  w.start();
  const auto id = w.submit({"x@fast.example", "y@slow.example", "z@dead.example"});
  w.store.memory.fail_with(Error{Code::full, "no space"});  // for the first outcomes
  w.loop.run_for(milliseconds(500));
  EXPECT_EQ(fast.mails.size(), 1U);
  w.store.memory.fail_with({});  // the second outcome comes before the first is tried again
  w.loop.run_for(seconds(5));
  EXPECT_EQ(slow.mails.size(), 1U);
  const auto kept = w.store.memory.load(id).value();
  EXPECT_EQ(kept.recipients[0].state, queue::State::delivered);
  EXPECT_EQ(kept.recipients[1].state, queue::State::delivered);
  EXPECT_EQ(kept.recipients[2].attempts, 1U);
}

TEST(Dispatcher, reads_bodies_from_the_store_that_it_could_not_hold) {
  World w;
  w.options.cached_body_bytes_max = 3 * test_message.size();
  w.limits.attempts_at_once_max = 2;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.delay_at_end = seconds(1);
  w.start();
  for (int i = 0; i < 20; ++i) w.submit({"x@far.example"});
  w.loop.run_for(minutes(5));
  EXPECT_EQ(far.mails.size(), 20U);
  EXPECT_GE(w.store.bodies_loaded, 10U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, waits_for_a_store_that_is_closed_after_an_error) {
  World w;
  w.options.cached_body_bytes_max = 0;
  auto& far = w.peer("far.example", "9.9.9.1");
  w.start();
  w.store.closed = true;
  for (int i = 0; i < 3; ++i) w.submit({"x@far.example"});
  w.loop.run_for(seconds(30));
  EXPECT_EQ(far.mails.size(), 0U);
  EXPECT_EQ(w.dispatcher->counts().messages, 3U);
  w.store.closed = false;
  w.loop.run_for(seconds(3));
  EXPECT_EQ(far.mails.size(), 3U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, stops_although_the_store_is_closed) {
  World w;
  w.options.cached_body_bytes_max = 0;
  w.peer("far.example", "9.9.9.1");
  w.start();
  w.store.closed = true;
  w.submit({"x@far.example"});
  w.loop.run_for(seconds(3));
  w.dispatcher->stop(seconds(5));
  w.loop.run_for(seconds(6));
  EXPECT_TRUE(w.ended);
  EXPECT_EQ(w.store.memory.size(), 1U);
}

TEST(Dispatcher, goes_on_after_a_restart) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  const auto waiting = w.submit({"x@far.example"});
  const auto held = w.submit({"y@far.example"});
  w.loop.run_for(seconds(5));
  EXPECT_TRUE(w.order(Order::hold, held));
  w.stop(seconds(5));
  far.plan.recipient = {};
  w.start();
  EXPECT_EQ(w.dispatcher->counts().messages, 2U);
  EXPECT_EQ(w.dispatcher->find(waiting)->recipients[0].attempts, 1U);
  w.loop.run_for(hours(1));
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_TRUE(w.order(Order::release, held));
  w.loop.run_for(seconds(5));
  EXPECT_EQ(far.mails.size(), 2U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, takes_in_a_long_queue_without_holding_up_new_mail) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  auto& near = w.peer("near.example", "9.9.9.2");
  const auto before = w.loop.wall_now() - hours(1);
  for (int i = 0; i < 1'800; ++i) w.leave({"x@far.example"}, before);
  w.begin();  // has taken in one page
  const auto begun = w.dispatcher->counts().messages;
  EXPECT_GT(begun, 0U);
  EXPECT_LT(begun, 1'800U);
  w.submit({"y@near.example"});
  w.loop.run_for(seconds(1));
  EXPECT_EQ(near.mails.size(), 1U);
  w.loop.run_for(hours(1));
  EXPECT_EQ(far.mails.size(), 1'800U);
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(w.log.count("queue loaded"), 1U);
}

TEST(Dispatcher, takes_in_what_was_stored_when_the_clock_was_ahead) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  w.leave({"then@far.example"}, w.loop.wall_now() + hours(3));
  w.leave({"before@far.example"}, w.loop.wall_now() - hours(1));
  w.leave({"now@far.example"}, w.loop.wall_now());
  w.start();
  w.loop.run_for(hours(24));
  EXPECT_EQ(far.mails.size(), 3U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, tells_of_a_delay_that_fell_into_a_restart) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = try_later;
  w.start();
  w.submit({"x@far.example"});
  w.loop.run_for(hours(1));
  w.stop(seconds(5));
  w.loop.run_for(hours(10));
  w.start();
  w.loop.run_for(minutes(1));
  EXPECT_EQ(w.notices().size(), 1U);
  EXPECT_EQ(count_of(w.notice_text(), "Action: delayed"), 1U);
}

TEST(Dispatcher, hands_back_what_is_under_way_when_it_stops) {
  World w;
  auto& silent = w.peer("silent.example", "9.9.9.1");
  auto& slow = w.peer("slow.example", "9.9.9.2");
  silent.plan.silent = true;
  slow.plan.delay_at_end = seconds(3);
  w.start();
  const auto id = w.submit({"x@silent.example", "y@slow.example"});
  w.loop.run_for(seconds(1));
  const auto begun = w.loop.now();
  w.stop(seconds(5));
  EXPECT_LE(w.loop.now() - begun, seconds(12));
  EXPECT_EQ(slow.mails.size(), 1U);
  const auto kept = w.store.memory.load(id).value();
  EXPECT_EQ(kept.recipients[0].state, queue::State::waiting);
  EXPECT_EQ(kept.recipients[1].state, queue::State::delivered);
  EXPECT_EQ(silent.open(), 0U);
  silent.plan.silent = false;
  w.start();
  w.loop.run_for(hours(1));
  EXPECT_EQ(silent.mails.size(), 1U);
  EXPECT_EQ(slow.mails.size(), 1U);
}

TEST(Dispatcher, begins_nothing_new_once_it_stops) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  w.start();
  w.stop(seconds(5));
  w.submit({"x@far.example"});
  w.loop.run_for(hours(1));
  EXPECT_EQ(far.connections, 0U);
  EXPECT_EQ(w.store.memory.size(), 1U);
}

TEST(Dispatcher, marks_the_final_dot_until_the_outcome_is_kept) {
  DispatcherTestWorld w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.delay_at_end = std::chrono::seconds(10);
  w.start();
  const auto id = w.submit({"x@far.example", "y@far.example"});
  w.loop.run_for(std::chrono::seconds(5));
  EXPECT_EQ(w.marks.all(), (std::vector<FinalDotMark>{{id, {0, 1}}}));
  w.loop.run_for(std::chrono::seconds(10));
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_TRUE(w.marks.all().empty());
  EXPECT_EQ(w.marks.times_set, 1U);
}

TEST(Dispatcher, waits_with_what_the_process_before_it_may_have_delivered) {
  DispatcherTestWorld w;
  auto& far = w.peer("far.example", "9.9.9.1");
  const auto marked = w.leave({"x@far.example"}, w.loop.wall_now());
  w.leave({"y@far.example"}, w.loop.wall_now());
  const std::uint32_t first[] = {0};
  w.marks.set(7, marked, first);
  w.marks.set(8, QueueId{4'711}, first);  // it had ended
  w.start();
  w.loop.run_for(std::chrono::minutes(50));
  ASSERT_EQ(far.mails.size(), 1U);
  EXPECT_TRUE(w.marks.all().empty());
  EXPECT_TRUE(w.log.count("message may have been delivered") == 1);
  w.loop.run_for(std::chrono::minutes(15));
  EXPECT_EQ(far.mails.size(), 2U);
}

}  // namespace
}  // namespace tapal::delivery
