// The door of the queue, as accepting mail sees it.
#pragma once

#include "ports/body.h"
#include "rules/queue/message.h"

namespace tapal {

struct MailQueue {
  virtual ~MailQueue() = default;
  // New mail is to be refused with 452 for now: the bound on waiting messages is reached.
  virtual bool full() const = 0;
  // Takes over a message that the store has committed.
  virtual void accept(queue::Message message, BodyPtr body) = 0;
};

}  // namespace tapal
