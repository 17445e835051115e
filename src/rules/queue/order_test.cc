#include "rules/queue/order.h"

#include <gtest/gtest.h>

#include "rules/queue/message_life.h"

namespace tapal::queue {
namespace {

using namespace std::chrono_literals;
using Kind = Order::Kind;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};
const mail::Handover by_host{mail::Handover::Kind::host, "relay.example:2525", {}};

RecipientState recipient(State state) {
  RecipientState recipient;
  recipient.recipient.address = {"x", "far.example"};
  recipient.state = state;
  recipient.next_attempt = noon + 1h;
  recipient.last = {"4.3.0", "451 4.3.0 not now", "mx"};
  return recipient;
}

TEST(Order, changes_what_it_is_about_and_says_so) {
  struct Case {
    std::string_view name;
    Kind kind;
    State before;
    State after;
    bool changed;
    bool due;
  };
  const Case cases[] = {
      {"retry", Kind::retry, State::waiting, State::waiting, true, true},
      {"retry of what is held", Kind::retry, State::held, State::held, false, false},
      {"hold", Kind::hold, State::waiting, State::held, true, false},
      {"hold twice", Kind::hold, State::held, State::held, false, false},
      {"release", Kind::release, State::held, State::waiting, true, true},
      {"release of what waits", Kind::release, State::waiting, State::waiting, false, false},
      {"drop", Kind::drop, State::waiting, State::failed, true, false},
      {"drop of what is held", Kind::drop, State::held, State::failed, true, false},
      {"bounce", Kind::bounce, State::held, State::failed, true, false},
      {"move", Kind::move, State::waiting, State::waiting, true, true},
      {"move of what is held", Kind::move, State::held, State::held, true, false},
  };
  for (const auto& c : cases) {
    auto state = recipient(c.before);
    EXPECT_EQ(apply_order({c.kind, "gone for good", by_host}, state, noon), c.changed) << c.name;
    EXPECT_EQ(state.state, c.after) << c.name;
    EXPECT_EQ(state.next_attempt, c.due ? noon : noon + 1h) << c.name;
    EXPECT_EQ(state.sender_told, c.kind == Kind::drop) << c.name;
    if (!c.changed) EXPECT_EQ(state, recipient(c.before)) << c.name;
  }
}

TEST(Order, leaves_alone_what_has_ended) {
  for (const auto kind :
       {Kind::retry, Kind::hold, Kind::release, Kind::drop, Kind::bounce, Kind::move})
    for (const auto ended : {State::delivered, State::failed}) {
      auto state = recipient(ended);
      EXPECT_FALSE(apply_order({kind, "text", by_host}, state, noon));
      EXPECT_EQ(state, recipient(ended));
    }
}

TEST(Order, of_a_bounce_gives_the_sender_the_text) {
  auto state = recipient(State::waiting);
  apply_order({Kind::bounce, "the company has closed", {}}, state, noon);
  EXPECT_EQ(state.last, (Outcome{"5.0.0", "the company has closed", ""}));
}

TEST(Order, moves_there_and_back) {
  auto state = recipient(State::waiting);
  EXPECT_TRUE(apply_order({Kind::move, {}, by_host}, state, noon));
  EXPECT_EQ(state.recipient.handover, by_host);
  EXPECT_FALSE(apply_order({Kind::move, {}, by_host}, state, noon + 1h));
  EXPECT_TRUE(apply_order({Kind::move, {}, {}}, state, noon + 2h));
  EXPECT_EQ(state.recipient.handover, mail::Handover());
  EXPECT_EQ(state.next_attempt, noon + 2h);
}

}  // namespace
}  // namespace tapal::queue
