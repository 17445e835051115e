// Amounts of bytes as people write them in settings: "50MB", "64KiB", "1000".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::text {

// A whole number and a unit: none or B, kB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of
// 1024). The case of letters does not matter; one space before the unit is fine.
Result<std::uint64_t> parse_byte_size(std::string_view text);

// The largest unit that shows the amount exactly: "50MB", "64KiB", "1001B".
std::string byte_size_text(std::uint64_t bytes);

}  // namespace tapal::text
