// For those who want to see what comes in from outside, as it does.
#pragma once

#include "ports/body.h"
#include "rules/queue/message.h"

namespace tapal::intake {

struct MailObserver {
  virtual ~MailObserver() = default;
  // A stranger's message is on stable storage and goes into the queue next. Called on any session's
  // loop: must be quick, above all while nobody looks. `body` is the message as it is kept.
  virtual void on_received(const queue::Message& message, const Body& body) = 0;
};

}  // namespace tapal::intake
