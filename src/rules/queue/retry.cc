#include "rules/queue/retry.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tapal::queue {

RetrySchedule::RetrySchedule(RetryOptions options) : options_(std::move(options)) {
  options_.jitter_fraction = std::clamp(options_.jitter_fraction, 0.0, 0.9);
}

WallTime RetrySchedule::next_attempt(std::uint32_t attempts,
                                     WallTime now,
                                     std::uint64_t random) const {
  if (attempts == 0) return now;
  const std::size_t step = attempts - 1;
  const std::chrono::seconds wait =
      step < options_.intervals.size() ? options_.intervals[step] : options_.interval_after;
  // 53 bits fill a double's mantissa: a number from -1 up to 1.
  const double spread = static_cast<double>(random >> 11U) * 0x1p-52 - 1.0;
  const double factor = 1.0 + spread * options_.jitter_fraction;
  const auto milliseconds = std::chrono::duration<double, std::milli>(wait) * factor;
  return now + std::chrono::duration_cast<std::chrono::milliseconds>(milliseconds);
}

}  // namespace tapal::queue
