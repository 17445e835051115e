// Why a message waits, in one paragraph for a person: where it is, what the last replies were, when
// it goes on.
#pragma once

#include <span>
#include <string>

#include "base/time.h"
#include "rules/queue/message.h"
#include "rules/queue/scheduler.h"

namespace tapal::api {

std::string explain_waiting(const queue::Message& message,
                            std::span<const queue::WaitFact> facts,
                            WallTime now);

}  // namespace tapal::api
