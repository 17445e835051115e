// The transitions of a queued message. Whatever happens, in whatever order: a recipient ends at
// most once, as delivered or as failed, and never comes back. Pure: the caller commits the message
// afterwards and tells the Scheduler.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "rules/queue/message.h"
#include "rules/queue/retry.h"

namespace tapal::queue {

// What one attempt came to for one recipient.
struct Attempted {
  enum class Result : std::uint8_t { delivered, failed, deferred };

  std::uint32_t recipient = 0;  // index in Message::recipients
  Result result = Result::deferred;
  Outcome outcome;
  // Deferred: when to try again, in place of the schedule's time. Short ones are kept to for the
  // first attempts alone.
  std::optional<std::chrono::seconds> retry_in = {};
  std::string note = {};  // what the reply means and what to do, for the log
};

// A message with every recipient waiting for a first attempt at once. The envelope's recipients
// move into it.
Message new_message(QueueId id, mail::Envelope envelope, WallTime arrived);

// Counts the attempt and files its results. Results for recipients that have ended, or that do not
// exist, change nothing. A deferred recipient waits for the schedule's next time, never past the
// give-up time; deferred at or after that time it has failed, with status 5.4.7. A recipient held
// meanwhile stays held unless it was delivered or refused.
void apply_attempt(Message& message,
                   std::span<const Attempted> results,
                   const RetrySchedule& schedule,
                   WallTime now,
                   std::uint64_t random);

// Gives up waiting recipients past the give-up time that were tried at least once. One that was
// never tried (we were down for a week) gets its attempt first. Returns how many.
std::size_t expire(Message& message, const RetrySchedule& schedule, WallTime now);

// Those of `recipients` that wait are not tried before `until`: their mail may have arrived.
std::size_t put_off(Message& message, std::span<const std::uint32_t> recipients, WallTime until);

// By hand. They tell whether, or for how many recipients, that changed anything.
bool hold(RecipientState& recipient);                     // waiting -> held
bool release(RecipientState& recipient, WallTime now);    // held -> waiting, due now
bool retry_now(RecipientState& recipient, WallTime now);  // waiting -> due now
std::size_t hold(Message& message);
std::size_t release(Message& message, WallTime now);
std::size_t retry_now(Message& message, WallTime now);

bool has_ended(const RecipientState& recipient);

// May a notice be sent back at all? Not for the null return path (RFC 5321 section 4.5.5), and not
// for mail that nobody authenticated, whose return path may be forged.
bool may_notify(const Message& message);

// Nothing remains to be tried and nobody remains to be told (rules/bounce/notice.h says who is
// told, sender_told that it was done): the message can be removed.
bool finished(const Message& message);

// The earliest time anything is to be done for it, nothing when all are held or ended.
std::optional<WallTime> next_attempt(const Message& message);

}  // namespace tapal::queue
