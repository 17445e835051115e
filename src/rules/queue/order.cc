#include "rules/queue/order.h"

#include <utility>

#include "rules/queue/message_life.h"

namespace tapal::queue {
namespace {

// RFC 3463 section 3.1: X.0.0, when no other code says more. A person did this, no server.
constexpr const char* by_hand_status = "5.0.0";

void end(RecipientState& recipient, std::string text) {
  recipient.state = State::failed;
  recipient.last = {by_hand_status, std::move(text), {}};
}

}  // namespace

bool destroys(Order::Kind kind) { return kind == Order::Kind::drop || kind == Order::Kind::bounce; }

bool apply_order(const Order& order, RecipientState& recipient, WallTime now) {
  if (has_ended(recipient)) return false;
  switch (order.kind) {
    case Order::Kind::retry: return retry_now(recipient, now);
    case Order::Kind::hold: return hold(recipient);
    case Order::Kind::release: return release(recipient, now);
    case Order::Kind::drop:
      end(recipient, "removed by the postmaster");
      recipient.sender_told = true;
      return true;
    case Order::Kind::bounce: end(recipient, order.text); return true;
    case Order::Kind::move: break;
  }
  if (recipient.recipient.handover == order.route) return false;
  recipient.recipient.handover = order.route;
  retry_now(recipient, now);
  return true;
}

}  // namespace tapal::queue
