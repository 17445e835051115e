#include <gtest/gtest.h>

#include "services/delivery/dispatcher.h"
#include "services/delivery/dispatcher_test_world.h"

namespace tapal::delivery {
namespace {

using smtp::make_reply;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Order = Dispatcher::Order;
using World = DispatcherTestWorld;

TEST(Orders, forgets_no_hold_that_comes_while_an_outcome_is_kept) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  w.store.memory.fail_with({});
  const auto id = w.submit({"x@far.example", "y@own.example"});
  w.store.memory.fail_with(Error{Code::full, "no space"});
  w.loop.run_for(milliseconds(100));
  EXPECT_TRUE(w.order(Order::hold, id));
  w.store.memory.fail_with({});
  w.loop.run_for(seconds(5));
  EXPECT_EQ(w.store.memory.load(id)->recipients[0].state, queue::State::held);
  EXPECT_EQ(w.store.memory.load(id)->recipients[1].state, queue::State::delivered);
}

TEST(Orders, obeys_orders_for_a_message_that_waits) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  const auto id = w.submit({"x@far.example"});
  const auto attempts = [&] { return w.dispatcher->find(id)->recipients[0].attempts; };
  w.loop.run_for(seconds(5));
  EXPECT_EQ(attempts(), 1U);
  EXPECT_TRUE(w.order(Order::retry, id));
  w.loop.run_for(seconds(5));
  EXPECT_EQ(attempts(), 2U);
  EXPECT_TRUE(w.order(Order::hold, id));
  w.loop.run_for(hours(24));
  EXPECT_EQ(attempts(), 2U);
  EXPECT_EQ(w.dispatcher->counts().held, 1U);
  EXPECT_EQ(w.store.memory.load(id)->recipients[0].state, queue::State::held);
  EXPECT_TRUE(w.order(Order::release, id));
  w.loop.run_for(seconds(5));
  EXPECT_EQ(attempts(), 3U);
  EXPECT_TRUE(w.order(Order::drop, id));
  w.loop.run_for(hours(24 * 6));
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(w.dispatcher->counts().messages, 0U);
  for (const auto order : {Order::retry, Order::hold, Order::release, Order::drop})
    EXPECT_EQ(w.order(order, id).error().code, Code::not_found);
  EXPECT_EQ(w.order(Order::retry, QueueId{12345}).error().code, Code::not_found);
}

TEST(Orders, says_that_an_order_is_in_force_though_the_disk_did_not_keep_it) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = try_later;
  w.start();
  const auto id = w.submit({"x@far.example"});
  w.loop.run_for(seconds(5));
  w.store.memory.fail_with(Error{Code::full, "the disk is full"});
  const auto held = w.order(Order::hold, id);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, Code::full);
  EXPECT_TRUE(held.error().what.contains("is in force, but a restart would forget it"));
  EXPECT_EQ(w.dispatcher->counts().held, 1U);
  w.store.memory.fail_with({});
  EXPECT_TRUE(w.order(Order::hold, id));
  EXPECT_EQ(w.store.memory.load(id)->recipients[0].state, queue::State::held);
}

TEST(Orders, goes_on_trying_a_message_that_could_not_be_dropped) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.refuses_connections = true;
  w.start();
  const auto id = w.submit({"x@far.example"});
  w.loop.run_for(seconds(30));
  w.store.memory.fail_with(Error{Code::full, "no space"});
  EXPECT_EQ(w.order(Order::drop, id).error().code, Code::full);
  w.store.memory.fail_with({});
  far.plan.refuses_connections = false;
  w.loop.run_for(hours(1));
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Orders, obeys_orders_for_a_message_that_is_being_tried) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.delay_at_end = seconds(10);
  far.plan.stored = [](const mail::Envelope&) { return make_reply(451, "4.3.0", "not now"); };
  w.start();
  const auto held = w.submit({"x@far.example"});
  w.loop.run_for(seconds(1));
  EXPECT_TRUE(w.order(Order::hold, held));
  w.loop.run_for(hours(24));
  EXPECT_EQ(w.dispatcher->find(held)->recipients[0].state, queue::State::held);
  EXPECT_EQ(w.dispatcher->find(held)->recipients[0].attempts, 1U);
  EXPECT_TRUE(w.order(Order::release, held));
  w.loop.run_for(seconds(1));
  EXPECT_TRUE(w.order(Order::retry, held));
  EXPECT_TRUE(w.order(Order::drop, held));
  EXPECT_EQ(w.dispatcher->find(held).error().code, Code::not_found);
  EXPECT_EQ(w.order(Order::hold, held).error().code, Code::not_found);
  w.loop.run_for(hours(24));
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(w.dispatcher->counts().messages, 0U);
  EXPECT_EQ(w.dispatcher->find(held).error().code, Code::not_found);
  // A failure that comes after the drop is told to nobody.
  far.plan.stored = [](const mail::Envelope&) { return make_reply(550, "5.3.0", "never"); };
  const auto dropped = w.submit({"x@far.example"});
  w.loop.run_for(seconds(1));
  EXPECT_TRUE(w.order(Order::drop, dropped));
  w.loop.run_for(hours(1));
  EXPECT_TRUE(w.notices().empty());
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Orders, gives_back_the_memory_of_a_message_dropped_before_its_first_attempt) {
  World w;
  w.limits.attempts_at_once_max = 1;
  w.options.cached_body_bytes_max = 2 * test_message.size();
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.delay_at_end = seconds(10);
  w.start();
  w.submit({"x@far.example"});  // takes the only slot, and half of the room for bodies
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(w.order(Order::drop, w.submit({"y@far.example"})));
  w.submit({"z@far.example"});
  w.loop.run_for(minutes(1));
  EXPECT_EQ(far.mails.size(), 2U);
  EXPECT_EQ(w.store.bodies_loaded, 0U);
}

TEST(Orders, reach_every_message_of_a_queue_that_is_still_being_taken_in) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.refuses_connections = true;
  constexpr std::size_t messages = 1'234;  // several pages
  const auto before = w.loop.wall_now() - minutes(1);
  for (std::size_t i = 0; i < messages; ++i) w.leave({"x@far.example"}, before);
  w.begin();
  EXPECT_EQ(w.order_all(Order::hold), messages);
  EXPECT_EQ(w.dispatcher->counts().held + w.dispatcher->counts().in_flight, messages);
  EXPECT_EQ(w.order_all(Order::release), messages);
  w.loop.run_for(minutes(2));  // all have failed once or twice, and wait
  far.plan.refuses_connections = false;
  const auto commits = w.store.commits;
  EXPECT_EQ(w.order_all(Order::retry), messages);
  EXPECT_LE(w.store.commits, commits + 10);
  w.loop.run_for(seconds(30));
  EXPECT_EQ(far.mails.size(), messages);
  w.leave({"y@far.example"}, before);
  EXPECT_EQ(w.order_all(Order::drop), 1U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Orders, for_all_messages_say_when_the_disk_did_not_keep_them) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.refuses_connections = true;
  w.start();
  for (int i = 0; i < 3; ++i) w.submit({"x@far.example"});
  w.loop.run_for(seconds(5));
  w.store.memory.fail_with(Error{Code::full, "no space"});
  const auto ordered = w.loop.wait(w.dispatcher->order_all(Order::hold)).value();
  ASSERT_FALSE(ordered);
  EXPECT_TRUE(ordered.error().what.contains("is in force"));
  EXPECT_EQ(w.loop.wait(w.dispatcher->order_all(Order::drop)).value().error().code, Code::full);
  EXPECT_EQ(w.dispatcher->counts().held, 3U);
}

TEST(Orders, are_kept_before_they_set_a_message_going) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  const auto id = w.submit({"x@far.example"});
  w.loop.run_for(seconds(5));
  ASSERT_TRUE(w.order(Order::hold, id));
  w.store.turns_of_a_commit = 100;  // time enough for an attempt to load the old state
  ASSERT_TRUE(w.order(Order::release, id));
  w.loop.run_for(seconds(5));
  EXPECT_EQ(w.dispatcher->counts().held, 0U);
  EXPECT_EQ(w.dispatcher->find(id)->recipients[0].state, queue::State::waiting);
  EXPECT_EQ(w.dispatcher->find(id)->recipients[0].attempts, 2U);
}

}  // namespace
}  // namespace tapal::delivery
