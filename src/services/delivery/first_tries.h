// First attempts that a receiving session waits for, so that a refusal reaches the sender while it
// is still connected. Belongs to the dispatcher's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/task.h"
#include "ports/loop.h"
#include "ports/mail_queue.h"
#include "rules/queue/message.h"

namespace tapal::delivery {

class FirstTries {
 public:
  explicit FirstTries(Loop& loop) : loop_(loop) {}

  // From now on somebody waits for this message's first attempt.
  void expect(QueueId id);
  // Until the outcome is known, `until` comes or stop() is called; then nobody waits any more.
  Task<FirstTry> wait(QueueId id, Instant until);
  // After an attempt, before anybody is told of it. Where a session waits, it gets the outcome, and
  // a refusal is marked as told: no notice is made.
  void settle(queue::Message& message);
  // Lets all go, also those that come later: their messages are queued.
  void stop();

 private:
  struct Waiter {
    std::optional<FirstTry> outcome;
    Timer* timer = nullptr;
  };

  Loop& loop_;
  std::unordered_map<std::uint64_t, Waiter> waiters_;
  bool stopped_ = false;
};

}  // namespace tapal::delivery
