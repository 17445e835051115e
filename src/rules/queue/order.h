// What a person orders for recipients that wait: the change it makes to each. Pure: the caller
// commits the message and files it anew.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "rules/queue/message.h"

namespace tapal::queue {

struct Order {
  enum class Kind : std::uint8_t {
    retry,    // due now
    hold,     // until it is released
    release,  // of what was held: due now
    drop,     // ended; nobody is told
    bounce,   // failed; its sender is told, as of any failure, with `text`
    move,     // by `route` from here on, also after a restart; due now
  };
  Kind kind = Kind::retry;
  std::string text;      // bounce: what the sender reads; one line, at most order_text_bytes_max
  mail::Handover route;  // move: to a host, or `usual` for the way its address has
};

inline constexpr std::size_t order_text_bytes_max = 500;

// Drop and bounce end what they touch.
bool destroys(Order::Kind kind);

// Whether it changed the recipient; one that has ended it leaves alone.
bool apply_order(const Order& order, RecipientState& recipient, WallTime now);

}  // namespace tapal::queue
