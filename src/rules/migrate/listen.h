// Where another server takes connections, as a value of the settings of [listen].
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace tapal::migrate {

// Each is "192.0.2.1:25", "[2001:db8::1]:25" or ":25", which is everywhere. Error (invalid): one is
// none of these.
Result<std::string> listen_value(std::span<const std::string> addresses);

}  // namespace tapal::migrate
