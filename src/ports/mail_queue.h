// The door of the queue, as accepting mail sees it.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/task.h"
#include "ports/body.h"
#include "ports/loop.h"
#include "rules/queue/message.h"

namespace tapal {

// What a first attempt came to while the sender was still connected.
struct FirstTry {
  enum class Result : std::uint8_t {
    delivered,
    refused,  // for good, and the message is gone: the session tells the sender, nobody else does
    queued,   // not yet, or not known in time: the queue goes on and answers for it
  };
  Result result = Result::queued;
  queue::Outcome outcome;  // the last word so far; empty when there is none
};

struct MailQueue {
  virtual ~MailQueue() = default;
  // New mail is to be refused with 452 for now: the bound on waiting messages is reached.
  virtual bool full() const = 0;
  // Takes over a message that the store has committed.
  virtual void accept(queue::Message message, BodyPtr body) = 0;
  // The same for a message with one recipient, and waits for its first attempt, `patience` at most.
  // Comes back to `loop`.
  virtual Task<FirstTry> accept_and_try(Loop& loop,
                                        queue::Message message,
                                        BodyPtr body,
                                        std::chrono::seconds patience) = 0;
};

}  // namespace tapal
