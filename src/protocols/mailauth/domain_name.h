// Domain names as signatures carry them: made comparable, and fit to be looked up.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::mailauth {

// Lower case; a name with UTF-8 becomes A-labels (RFC 8616 section 4). Letters, digits, hyphens
// and underscores (selectors have them), labels of 1 to 63 bytes, 253 in all.
Result<std::string> comparable_name(std::string_view name);

// Both as comparable_name() returns them.
bool is_same_or_below(std::string_view name, std::string_view parent);

}  // namespace tapal::mailauth
