// What a failed system call means.
#pragma once

#include <string_view>

#include "base/result.h"

namespace tapal {

// "what: the system's words for the number", with the code that callers act on.
Error system_error(std::string_view what, int number);

}  // namespace tapal
