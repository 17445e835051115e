// How many things may happen in a time, whichever window of that length is looked at: never more
// than the rate, and never later than a sixtieth of it after it could be.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "rules/shaping/providers.h"

namespace tapal::shaping {

class Window {
 public:
  explicit Window(Rate rate);

  // For one more beside those under way, which are counted when they have happened.
  bool has_room(WallTime now, std::size_t under_way = 0) const {
    return counted(slice_at(now)) + under_way < rate_.count;
  }
  void count(WallTime now);
  // The earliest time at which has_room(), when nothing is counted until then. Nothing: when one of
  // those under way has ended.
  std::optional<WallTime> room_at(WallTime now, std::size_t under_way = 0) const;
  const Rate& rate() const { return rate_; }
  bool is_empty(WallTime now) const { return counted(slice_at(now)) == 0; }

 private:
  static constexpr std::int64_t slices = 60;  // and the one that is being filled

  std::int64_t slice_at(WallTime now) const;
  std::int64_t oldest(std::int64_t slice) const;  // that still counts
  std::size_t counted(std::int64_t slice) const;
  std::uint32_t& in_slice(std::int64_t slice);
  std::uint32_t in_slice(std::int64_t slice) const;

  Rate rate_;
  std::int64_t slice_length_;  // milliseconds
  std::int64_t newest_ = 0;    // the slice that was counted in last
  std::array<std::uint32_t, slices + 1> counts_{};
};

}  // namespace tapal::shaping
