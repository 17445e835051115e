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
using Order = queue::Order::Kind;
using World = DispatcherTestWorld;

TEST(Orders, wait_for_an_outcome_that_is_being_kept) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = try_later;
  w.start();
  const auto id = w.submit({"x@far.example", "y@own.example"});
  w.store.memory.fail_with(Error{Code::full, "no space"});
  w.loop.run_for(milliseconds(100));
  const auto refused = w.order(Order::hold, id);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().what.contains("look at the disk")) << refused.error().what;
  EXPECT_EQ(w.dispatcher->counts().held, 0U);
  const auto repair = [](World& world) -> Task<void> {
    const auto timer = world.loop.make_timer();
    co_await timer->wait_until(world.loop.now() + seconds(3));
    world.store.memory.fail_with({});
  };
  w.running.spawn(repair(w));
  EXPECT_TRUE(w.order(Order::hold, id));
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

TEST(Orders, that_are_refused_change_nothing) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = try_later;
  w.start();
  const auto waiting = w.submit({"x@far.example"});
  const auto held = w.submit({"y@far.example"});
  w.loop.run_for(seconds(5));
  ASSERT_TRUE(w.order(Order::hold, held));
  const auto before =
      std::pair(w.dispatcher->find(waiting).value(), w.dispatcher->find(held).value());
  const auto counts = w.dispatcher->counts();
  const auto due = w.dispatcher->why(before.first).at(0).due;
  w.store.memory.fail_with(Error{Code::full, "the disk is full"});
  for (const auto kind :
       {Order::retry, Order::hold, Order::release, Order::drop, Order::bounce, Order::move}) {
    const queue::Order order{kind, "never", {mail::Handover::Kind::host, "relay.example", {}}};
    const auto refused = w.order(order, queue::Filter());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, "the disk is full");
    EXPECT_EQ(std::pair(w.dispatcher->find(waiting).value(), w.dispatcher->find(held).value()),
              before);
    EXPECT_EQ(w.dispatcher->counts().held, counts.held);
    EXPECT_EQ(w.dispatcher->counts().waiting, counts.waiting);
    EXPECT_EQ(w.dispatcher->counts().attempts, 0U);
    EXPECT_EQ(w.dispatcher->why(before.first).at(0).due, due);
  }
  w.store.memory.fail_with({});
  EXPECT_TRUE(w.order(Order::hold, waiting));
  EXPECT_EQ(w.store.memory.load(waiting)->recipients[0].state, queue::State::held);
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
  EXPECT_EQ(w.order_all(Order::hold)->messages, messages);
  EXPECT_EQ(w.dispatcher->counts().held + w.dispatcher->counts().in_flight, messages);
  EXPECT_EQ(w.order_all(Order::release)->messages, messages);
  w.loop.run_for(minutes(2));  // all have failed once or twice, and wait
  far.plan.refuses_connections = false;
  const auto commits = w.store.commits;
  EXPECT_EQ(w.order_all(Order::retry)->messages, messages);
  EXPECT_LE(w.store.commits, commits + 10);
  w.loop.run_for(seconds(30));
  EXPECT_EQ(far.mails.size(), messages);
  w.leave({"y@far.example"}, before);
  EXPECT_EQ(w.order_all(Order::drop)->messages, 1U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Orders, reach_only_the_recipients_that_are_meant) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  auto& near = w.peer("near.example", "9.9.9.2");
  far.plan.recipient = try_later;
  near.plan.recipient = try_later;
  w.start();
  const auto id = w.submit({"x@far.example", "y@near.example"});
  w.submit({"z@near.example"});
  w.loop.run_for(seconds(5));
  const queue::Order hold{.kind = Order::hold, .text = {}, .route = {}};
  const auto held = w.order(hold, World::to_domain("far.example")).value();
  EXPECT_EQ(std::pair(held.messages, held.recipients), (std::pair<std::size_t, std::size_t>(1, 1)));
  near.plan.recipient = {};
  far.plan.recipient = {};
  w.loop.run_for(hours(1));
  EXPECT_EQ(near.mails.size(), 2U);
  EXPECT_TRUE(far.mails.empty());
  EXPECT_EQ(w.store.memory.load(id)->recipients[0].state, queue::State::held);
  EXPECT_TRUE(w.order(Order::release, id));
  w.loop.run_for(seconds(5));
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Orders, to_drop_some_recipients_leave_the_others) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  auto& near = w.peer("near.example", "9.9.9.2");
  far.plan.recipient = try_later;
  near.plan.recipient = try_later;
  w.start();
  w.submit({"x@far.example", "y@near.example"});
  w.loop.run_for(seconds(5));
  const queue::Order drop{.kind = Order::drop, .text = {}, .route = {}};
  EXPECT_EQ(w.order(drop, World::to_domain("far.example"))->recipients, 1U);
  near.plan.recipient = {};
  far.plan.recipient = {};
  w.loop.run_for(hours(6 * 24));
  EXPECT_EQ(near.mails.size(), 1U);
  EXPECT_TRUE(far.mails.empty());
  EXPECT_TRUE(w.notices().empty());
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Orders, to_bounce_tell_the_sender_in_the_same_commit) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.peer("near.example", "9.9.9.2").plan.recipient = try_later;
  w.start();
  const auto kept = w.submit({"x@far.example", "y@near.example"});
  const auto gone = w.submit({"z@far.example"});
  w.loop.run_for(seconds(5));
  const queue::Order bounce{.kind = Order::bounce, .text = "far.example has closed", .route = {}};
  const auto done = w.order(bounce, World::to_domain("far.example")).value();
  EXPECT_EQ(std::pair(done.messages, done.recipients), (std::pair<std::size_t, std::size_t>(2, 2)));
  w.loop.run_for(seconds(5));
  ASSERT_EQ(w.notices().size(), 2U);
  EXPECT_TRUE(w.notice_text().contains("far.example has closed"));
  EXPECT_TRUE(w.notice_text().contains("Action: failed"));
  EXPECT_FALSE(w.store.memory.load(gone));
  EXPECT_TRUE(w.store.memory.load(kept)->recipients[0].sender_told);
  EXPECT_EQ(w.store.memory.load(kept)->recipients[1].state, queue::State::waiting);
  ASSERT_EQ(w.store.notice_commits.size(), 2U);
  for (const auto& commit : w.store.notice_commits) {
    EXPECT_EQ(commit.states, 2U) << "of the messages that the notices are about";
    EXPECT_EQ(commit.durability, Durability::synced);
  }
}

TEST(Orders, to_bounce_leave_alone_what_is_being_tried) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.delay_at_end = seconds(10);
  w.start();
  const auto id = w.submit({"x@far.example"});
  w.loop.run_for(seconds(1));
  const queue::Order bounce{.kind = Order::bounce, .text = "gone", .route = {}};
  const auto done = w.order(bounce, World::only(id)).value();
  EXPECT_EQ(done.recipients, 0U);
  EXPECT_EQ(done.under_way, 1U);
  w.loop.run_for(minutes(1));
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_TRUE(w.notices().empty());
}

TEST(Orders, to_move_hold_over_a_restart_and_while_a_message_is_being_tried) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  auto& relay = w.network.at("9.9.9.2:25");
  far.plan.recipient = try_later;
  relay.plan.recipient = try_later;
  w.start();
  const auto waiting = w.submit({"x@far.example"});
  w.loop.run_for(seconds(5));
  far.plan.delay_at_end = seconds(10);
  far.plan.recipient = {};
  far.plan.stored = [](const mail::Envelope&) { return make_reply(451, "4.3.0", "not now"); };
  const auto tried = w.submit({"y@far.example"});
  w.loop.run_for(seconds(1));
  const queue::Order move{Order::move, {}, {mail::Handover::Kind::host, "9.9.9.2", {}}};
  EXPECT_EQ(w.order(move, World::to_domain("far.example"))->recipients, 2U);
  w.loop.run_for(minutes(1));
  for (const auto id : {waiting, tried})
    EXPECT_EQ(w.store.memory.load(id)->recipients[0].recipient.handover, move.route);
  EXPECT_EQ(w.dispatcher->why(w.dispatcher->find(tried).value()).at(0).destination, "host 9.9.9.2");
  w.stop(seconds(5));
  relay.plan.recipient = {};
  w.start();
  w.loop.run_for(hours(1));
  EXPECT_EQ(relay.mails.size(), 2U);
  EXPECT_TRUE(far.mails.empty());
  const queue::Order nowhere{Order::move, {}, {mail::Handover::Kind::host, "no place", {}}};
  EXPECT_EQ(w.order(nowhere, queue::Filter()).error().code, Code::invalid);
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

// What comes back from an attempt while an order is being kept.
struct LateAnswer : World {
  Peer& far = peer("far.example", "9.9.9.1");
  QueueId id;

  explicit LateAnswer(smtp::Reply reply) {
    far.plan.delay_at_end = seconds(10);
    far.plan.stored = [reply](const mail::Envelope&) { return reply; };
    start();
    id = submit({"x@far.example", "y@nowhere.example"});
    loop.run_for(seconds(9));
    store.commit_takes = seconds(3);
  }
  queue::RecipientState state() { return store.memory.load(id).value().recipients[0]; }
};

TEST(Orders, lose_nothing_of_an_answer_that_comes_while_they_are_kept) {
  LateAnswer w(make_reply(451, "4.3.0", "not now"));
  EXPECT_EQ(w.order(Order::hold, w.id)->recipients, 1U);
  EXPECT_EQ(w.state().state, queue::State::held);
  EXPECT_EQ(w.state().attempts, 1U);
  EXPECT_EQ(w.dispatcher->counts().held, 1U);
  EXPECT_EQ(w.dispatcher->counts().in_flight, 0U);
}

TEST(Orders, that_fail_lose_nothing_of_such_an_answer_either) {
  LateAnswer w(make_reply(451, "4.3.0", "not now"));
  const auto break_disk = [](World& world) -> Task<void> {
    const auto timer = world.loop.make_timer();
    co_await timer->wait_until(world.loop.now() + seconds(2));
    world.store.memory.fail_with(Error{Code::full, "no space"});
    co_await timer->wait_until(world.loop.now() + seconds(20));
    world.store.memory.fail_with({});
  };
  w.running.spawn(break_disk(w));
  EXPECT_FALSE(w.order(Order::hold, w.id));
  w.loop.run_for(seconds(40));
  EXPECT_EQ(w.state().state, queue::State::waiting);
  EXPECT_EQ(w.state().attempts, 1U);
  EXPECT_EQ(w.dispatcher->counts().held, 0U);
}

TEST(Orders, to_drop_win_over_a_refusal_that_comes_meanwhile) {
  LateAnswer w(make_reply(550, "5.3.0", "never"));
  EXPECT_TRUE(w.order(Order::drop, w.id));
  w.loop.run_for(minutes(1));
  EXPECT_TRUE(w.notice_text().find("x@far.example") == std::string::npos);
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(w.dispatcher->counts().messages, 0U);
}

TEST(Orders, put_off_a_delay_notice_that_falls_due_while_they_are_kept) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = try_later;
  w.start();
  const auto id = w.submit({"x@far.example"});
  w.loop.run_for(hours(4) - seconds(1));
  ASSERT_TRUE(w.notices().empty());
  w.store.commit_takes = seconds(3);
  const queue::Order move{Order::move, {}, {mail::Handover::Kind::host, "9.9.9.1", {}}};
  EXPECT_TRUE(w.order(move, World::only(id)));
  w.loop.run_for(minutes(1));
  EXPECT_EQ(w.notices().size(), 1U);
  EXPECT_EQ(w.store.memory.load(id)->recipients[0].recipient.handover, move.route);
  EXPECT_TRUE(w.store.memory.load(id)->recipients[0].sender_told_of_delay);
}

}  // namespace
}  // namespace tapal::delivery
