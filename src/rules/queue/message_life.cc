#include "rules/queue/message_life.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tapal::queue {
namespace {

// RFC 3463 section 3.5, X.4.7: delivery time expired. The last reply stays in the text, since it
// tells the sender more than the time does.
void give_up(RecipientState& recipient, const RetrySchedule& schedule) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(schedule.options().give_up);
  recipient.state = State::failed;
  recipient.last.text = fmt::format("not delivered within {} hours; last: {} {}",
                                    hours.count(),
                                    recipient.last.status,
                                    recipient.last.text);
  recipient.last.status = "5.4.7";
}

// After so many a peer that always says "in five minutes" is asked by the schedule, which tires.
constexpr std::uint32_t early_attempts_max = 10;

WallTime next_of(const Attempted& result,
                 std::uint32_t attempts,
                 const RetrySchedule& schedule,
                 WallTime now,
                 std::uint64_t random) {
  const WallTime usual = schedule.next_attempt(attempts, now, random);
  if (!result.retry_in) return usual;
  const WallTime wanted = now + *result.retry_in;
  return attempts <= early_attempts_max ? wanted : std::max(wanted, usual);
}

template <class Change>
std::size_t change_all(Message& message, Change change) {
  std::size_t changed = 0;
  for (RecipientState& recipient : message.recipients) changed += change(recipient) ? 1 : 0;
  return changed;
}

}  // namespace

Message new_message(QueueId id, mail::Envelope envelope, WallTime arrived) {
  Message message;
  message.id = id;
  message.arrived = arrived;
  message.recipients.reserve(envelope.recipients.size());
  for (mail::Recipient& recipient : envelope.recipients) {
    RecipientState& state = message.recipients.emplace_back();
    state.recipient = std::move(recipient);
    state.next_attempt = arrived;
  }
  envelope.recipients.clear();
  message.envelope = std::move(envelope);
  return message;
}

bool has_ended(const RecipientState& recipient) {
  return recipient.state == State::delivered || recipient.state == State::failed;
}

void apply_attempt(Message& message,
                   std::span<const Attempted> results,
                   const RetrySchedule& schedule,
                   WallTime now,
                   std::uint64_t random) {
  for (const Attempted& result : results) {
    if (result.recipient >= message.recipients.size()) continue;
    RecipientState& recipient = message.recipients[result.recipient];
    if (has_ended(recipient)) continue;
    ++recipient.attempts;
    recipient.last_attempt = now;
    recipient.last = result.outcome;
    switch (result.result) {
      case Attempted::Result::delivered: recipient.state = State::delivered; break;
      case Attempted::Result::failed: recipient.state = State::failed; break;
      case Attempted::Result::deferred:
        // All recipients of the attempt come due together, to share a transaction again.
        recipient.next_attempt =
            std::min(next_of(result, recipient.attempts, schedule, now, random),
                     schedule.expires(message.arrived));
        if (recipient.state == State::waiting && schedule.expired(message.arrived, now)) {
          give_up(recipient, schedule);
        }
        break;
    }
  }
}

std::size_t expire(Message& message, const RetrySchedule& schedule, WallTime now) {
  if (!schedule.expired(message.arrived, now)) return 0;
  std::size_t expired = 0;
  for (RecipientState& recipient : message.recipients) {
    if (recipient.state != State::waiting || recipient.attempts == 0) continue;
    give_up(recipient, schedule);
    ++expired;
  }
  return expired;
}

std::size_t put_off(Message& message, std::span<const std::uint32_t> recipients, WallTime until) {
  std::size_t waits = 0;
  for (const std::uint32_t index : recipients) {
    if (index >= message.recipients.size()) continue;
    RecipientState& recipient = message.recipients[index];
    if (recipient.state != State::waiting) continue;
    recipient.next_attempt = std::max(recipient.next_attempt, until);
    ++recipient.attempts;
    recipient.last = {
        "4.4.2", "no reply came to the whole message: it may have been delivered", {}};
    ++waits;
  }
  return waits;
}

bool hold(RecipientState& recipient) {
  if (recipient.state != State::waiting) return false;
  recipient.state = State::held;
  return true;
}

bool release(RecipientState& recipient, WallTime now) {
  if (recipient.state != State::held) return false;
  recipient.state = State::waiting;
  recipient.next_attempt = now;
  return true;
}

bool retry_now(RecipientState& recipient, WallTime now) {
  if (recipient.state != State::waiting) return false;
  recipient.next_attempt = now;
  return true;
}

std::size_t hold(Message& message) {
  return change_all(message, [](RecipientState& each) { return hold(each); });
}

std::size_t release(Message& message, WallTime now) {
  return change_all(message, [now](RecipientState& each) { return release(each, now); });
}

std::size_t retry_now(Message& message, WallTime now) {
  return change_all(message, [now](RecipientState& each) { return retry_now(each, now); });
}

bool may_notify(const Message& message) {
  return message.envelope.return_path && message.origin.authenticated &&
         message.origin.kind != Origin::Kind::notice;
}

bool finished(const Message& message) {
  const bool may = may_notify(message);
  return std::ranges::all_of(message.recipients, [may](const RecipientState& state) {
    if (!has_ended(state)) return false;
    const mail::Notify& notify = state.recipient.notify;
    const bool asked = state.state == State::failed ? notify.wants_failure() : notify.success;
    return state.sender_told || !may || notify.never || !asked;
  });
}

std::optional<WallTime> next_attempt(const Message& message) {
  std::optional<WallTime> earliest;
  for (const RecipientState& recipient : message.recipients) {
    if (recipient.state != State::waiting) continue;
    if (!earliest || recipient.next_attempt < *earliest) earliest = recipient.next_attempt;
  }
  return earliest;
}

}  // namespace tapal::queue
