// Why a message waits, for a person and for a program: where it is, what the last replies were,
// when it goes on, and what would change that.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "rules/queue/message.h"
#include "rules/queue/scheduler.h"

namespace tapal::api {

// What is said of one group of recipients that wait for the same.
struct WaitText {
  std::string_view reason;  // a word, for programs
  std::string_view limit;   // the setting that stands in the way; empty when none does
  std::string sentence;     // "held by rule 3"
  std::string change;       // what would change it; empty when only waiting does
};

WaitText wait_text(const queue::Message& message, const queue::WaitFact& fact, WallTime now);

// One paragraph about all of it.
std::string explain_waiting(const queue::Message& message,
                            std::span<const queue::WaitFact> facts,
                            WallTime now);

}  // namespace tapal::api
