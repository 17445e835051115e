// The two clocks' types. Instant measures waiting and never jumps; WallTime is the calendar, is
// what gets stored and printed, and can jump.
#pragma once

#include <chrono>

namespace tapal {

using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

// A deadline that never comes.
inline constexpr Instant never = Instant::max();

}  // namespace tapal
