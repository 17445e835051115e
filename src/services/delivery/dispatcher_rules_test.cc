#include <gtest/gtest.h>

#include "services/delivery/dispatcher_test_world.h"

namespace tapal::delivery {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Reason = queue::WaitFact::Reason;

struct World : DispatcherTestWorld {
  Peer& far = peer("far.example", "9.9.9.1");
  Peer& near = peer("near.example", "9.9.9.2");

  Result<HeldByRule> hold(const std::string& domain, std::optional<WallTime> until = {}) {
    queue::HoldRule rule{0, to_domain(domain), "an outage", until};
    return loop.wait(dispatcher->add_hold_rule(std::move(rule))).value();
  }
  Result<HeldByRule> end(std::uint32_t number) {
    return loop.wait(dispatcher->end_hold_rule(number)).value();
  }
};

TEST(HoldRulesInForce, hold_what_waits_and_what_comes_until_they_end) {
  World w;
  w.far.plan.recipient = try_later;
  w.start();
  const auto before = w.submit({"x@far.example", "y@near.example"});
  w.loop.run_for(seconds(5));
  w.far.plan.recipient = {};
  const auto held = w.hold("far.example").value();
  EXPECT_EQ(held.number, 1U);
  EXPECT_EQ(held.recipients, 1U);
  w.submit({"z@far.example"});
  w.loop.run_for(hours(24));
  EXPECT_TRUE(w.far.mails.empty());
  EXPECT_EQ(w.near.mails.size(), 1U);
  EXPECT_EQ(w.dispatcher->counts().held, 2U);
  EXPECT_EQ(w.store.memory.load(before)->recipients[0].state, queue::State::waiting);
  const auto why = w.dispatcher->why(w.dispatcher->find(before).value());
  ASSERT_EQ(why.size(), 1U);
  EXPECT_EQ(why[0].reason, Reason::rule);
  EXPECT_EQ(why[0].rule, 1U);
  EXPECT_EQ(why[0].note, "an outage");
  EXPECT_EQ(why[0].recipients, std::vector<std::uint32_t>{0});
  EXPECT_EQ(w.end(1)->recipients, 2U);
  w.loop.run_for(seconds(5));
  EXPECT_EQ(w.far.mails.size(), 2U);
  EXPECT_EQ(w.end(1).error().code, Code::not_found);
}

TEST(HoldRulesInForce, are_there_after_a_restart_and_end_in_time) {
  World w;
  w.start();
  const auto end = w.loop.wall_now() + hours(2);
  ASSERT_TRUE(w.hold("far.example", end));
  ASSERT_TRUE(w.hold("near.example"));
  w.submit({"x@far.example"});
  w.submit({"y@near.example"});
  w.stop(seconds(5));
  w.start();
  w.loop.run_for(hours(1));
  EXPECT_TRUE(w.far.mails.empty());
  EXPECT_EQ(w.dispatcher->counts().held, 2U);
  w.loop.run_for(minutes(61));
  EXPECT_EQ(w.far.mails.size(), 1U);
  EXPECT_TRUE(w.near.mails.empty());
  EXPECT_EQ(w.log.count("hold rule ended"), 1U);
  EXPECT_EQ(w.records.records.size(), 1U);
  EXPECT_EQ(w.dispatcher->hold_rules().all().size(), 1U);
}

TEST(HoldRulesInForce, reach_what_comes_back_from_an_attempt) {
  World w;
  w.far.plan.delay_at_end = seconds(10);
  w.far.plan.stored = [](const mail::Envelope&) {
    return smtp::make_reply(451, "4.3.0", "not now");
  };
  w.start();
  w.submit({"x@far.example"});
  w.loop.run_for(seconds(1));
  EXPECT_EQ(w.hold("far.example")->recipients, 1U);
  EXPECT_EQ(w.dispatcher->counts().in_flight, 1U);
  w.loop.run_for(hours(24));
  EXPECT_EQ(w.dispatcher->counts().held, 1U);
  EXPECT_EQ(w.far.connections, 1U);
}

TEST(HoldRulesInForce, are_beside_a_hold_by_hand) {
  World w;
  w.far.plan.recipient = try_later;
  w.start();
  const auto id = w.submit({"x@far.example", "y@far.example"});
  w.loop.run_for(seconds(5));
  queue::Filter one;
  one.recipient = "x@far.example";
  ASSERT_TRUE(
      w.order(queue::Order{.kind = queue::Order::Kind::hold, .text = {}, .route = {}}, one));
  ASSERT_TRUE(w.hold("far.example"));
  auto why = w.dispatcher->why(w.dispatcher->find(id).value());
  ASSERT_EQ(why.size(), 2U);
  EXPECT_EQ(why[0].reason, Reason::held);
  EXPECT_EQ(why[1].reason, Reason::rule);
  EXPECT_EQ(why[1].recipients, std::vector<std::uint32_t>{1});
  queue::Filter held;
  held.held = true;
  const queue::Order drop{.kind = queue::Order::Kind::drop, .text = {}, .route = {}};
  ASSERT_TRUE(w.end(1));
  EXPECT_EQ(w.dispatcher->counts().held, 1U) << "a rule ends nothing that a hand began";
  ASSERT_TRUE(w.hold("far.example"));
  EXPECT_EQ(w.order(drop, held)->recipients, 2U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(HoldRulesInForce, are_not_when_they_are_not_kept) {
  World w;
  w.far.plan.recipient = try_later;
  w.start();
  w.submit({"x@far.example"});
  w.loop.run_for(seconds(5));
  w.records.error = Error{Code::full, "no space"};
  EXPECT_EQ(w.hold("far.example").error().what, "no space");
  EXPECT_TRUE(w.dispatcher->hold_rules().empty());
  EXPECT_EQ(w.dispatcher->counts().held, 0U);
  w.records.error = {};
  ASSERT_TRUE(w.hold("far.example"));
  w.records.error = Error{Code::full, "no space"};
  EXPECT_EQ(w.end(1).error().what, "no space");
  EXPECT_EQ(w.dispatcher->counts().held, 1U);
  EXPECT_EQ(w.hold("").error().code, Code::invalid);
}

TEST(HoldRulesInForce, say_so_when_they_cannot_be_read) {
  World w;
  w.records.records["1"] = "{}";
  w.start();
  EXPECT_EQ(w.log.count("a hold rule cannot be read and is not in force"), 1U);
  w.stop(seconds(0));
  w.records.error = Error{Code::internal, "a bad block"};
  w.start();
  EXPECT_EQ(w.log.count("the hold rules cannot be read and are not in force"), 1U);
}

}  // namespace
}  // namespace tapal::delivery
