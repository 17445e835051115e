// Bytes as hexadecimal digits.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::text {

std::string to_hex(std::string_view bytes);             // lower case
Result<std::string> from_hex(std::string_view digits);  // either case; pairs only, nothing between

}  // namespace tapal::text
