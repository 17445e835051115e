// One way out of the queue.
#pragma once

#include <string>

#include "base/task.h"
#include "services/delivery/attempt.h"

namespace tapal::delivery {

// Belongs to the dispatcher's loop: a task begins and ends there.
struct Carrier {
  virtual ~Carrier() = default;
  // Says what became of each recipient.
  virtual Task<AttemptReport> carry(Attempt attempt) = 0;
  // Cuts what is under way, whose recipients then end as deferred, and ends when nothing is left
  // that carry() does not wait for itself.
  virtual Task<void> stop() { co_return; }
};

// Return-Path (RFC 5321 section 4.4) and Delivered-To (RFC 9228), on top of mail that ends here.
std::string fields_on_top(const Attempt& attempt, const mail::Recipient& recipient);

// The envelope's sender; empty for the null one.
std::string sender_text(const Attempt& attempt);

}  // namespace tapal::delivery
