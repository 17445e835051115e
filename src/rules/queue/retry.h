// When the next attempt at a recipient is due, and when to stop trying (RFC 5321 section 4.5.4.1).
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace tapal::queue {

struct RetryOptions {
  // The wait after the first failed attempt, after the second, and so on.
  std::vector<std::chrono::seconds> intervals{std::chrono::minutes(1),
                                              std::chrono::minutes(5),
                                              std::chrono::minutes(15),
                                              std::chrono::minutes(30),
                                              std::chrono::hours(1),
                                              std::chrono::hours(2)};
  std::chrono::seconds interval_after = std::chrono::hours(4);  // when `intervals` is used up
  double jitter_fraction = 0.1;  // each wait is longer or shorter by up to this part, 0 to 0.9
  // RFC 5321 asks for at least 4-5 days before giving up.
  std::chrono::seconds give_up = std::chrono::days(5);
  std::chrono::seconds delay_notice = std::chrono::hours(4);
};

class RetrySchedule {
 public:
  explicit RetrySchedule(RetryOptions options = {});

  // `attempts` made so far; none: at once. `random` is any number, the source of the jitter.
  WallTime next_attempt(std::uint32_t attempts, WallTime now, std::uint64_t random) const;
  // The time of a message's last attempt.
  WallTime expires(WallTime arrived) const { return arrived + options_.give_up; }
  bool expired(WallTime arrived, WallTime now) const { return now >= expires(arrived); }
  bool delayed(WallTime arrived, WallTime now) const {
    return now >= arrived + options_.delay_notice;
  }
  const RetryOptions& options() const { return options_; }

 private:
  RetryOptions options_;
};

}  // namespace tapal::queue
