// Spans of time as people write them in settings: "90s", "1h30m", "5d".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::text {

// Longer spans are refused: nothing in mail waits ten years.
inline constexpr std::chrono::milliseconds duration_max = std::chrono::days(3660);

// One or more of a number and a unit, largest unit first, each once: w d h m s ms. "0" alone needs
// no unit. Not negative, no fractions, no spaces.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// The same in the least parts, "1h30m"; "0s" for nothing. Weeks print as days. Negative spans get
// a minus sign, which parse_duration() refuses.
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace tapal::text
