#include "rules/shaping/window.h"

#include <algorithm>

namespace tapal::shaping {

Window::Window(Rate rate) : rate_(rate) {
  const std::int64_t length = std::chrono::milliseconds(rate.in).count();
  slice_length_ = std::max<std::int64_t>(1, (length + slices - 1) / slices);
}

std::int64_t Window::slice_at(WallTime now) const {
  return now.time_since_epoch().count() / slice_length_;
}
std::uint32_t& Window::in_slice(std::int64_t slice) {
  return counts_[static_cast<std::size_t>(slice) % counts_.size()];
}
std::uint32_t Window::in_slice(std::int64_t slice) const {
  return counts_[static_cast<std::size_t>(slice) % counts_.size()];
}

std::int64_t Window::oldest(std::int64_t slice) const {
  return std::max<std::int64_t>(0, std::max(newest_, slice) - slices);
}

std::size_t Window::counted(std::int64_t slice) const {
  std::size_t sum = 0;
  for (std::int64_t each = oldest(slice); each <= newest_; ++each) sum += in_slice(each);
  return sum;
}

void Window::count(WallTime now) {
  const std::int64_t slice = slice_at(now);
  // A clock that was set back by more than the window: what was counted is of another time.
  if (slice < newest_ - slices) newest_ = slice - slices - 1;
  for (std::int64_t next = std::max(newest_ + 1, slice - slices); next <= slice; ++next)
    in_slice(next) = 0;
  newest_ = std::max(newest_, slice);
  ++in_slice(newest_);
}

std::optional<WallTime> Window::room_at(WallTime now, std::size_t under_way) const {
  const std::int64_t slice = slice_at(now);
  std::size_t left = counted(slice);
  if (left + under_way < rate_.count) return now;
  if (under_way >= rate_.count) return {};
  for (std::int64_t each = oldest(slice); each <= newest_; ++each) {
    left -= in_slice(each);
    if (left + under_way < rate_.count)
      return WallTime(std::chrono::milliseconds((each + slices + 1) * slice_length_));
  }
  return {};
}

}  // namespace tapal::shaping
