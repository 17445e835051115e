// The system's own programs, as commands run them: firewalls' and systemd's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::app {

// A file that PATH leads to, or that stands where the system's programs do. Empty: there is none.
std::string find_program(std::string_view name);

// What it prints; blocks, a minute at most. `words` begin with its name. Errors: not_found (it is
// not installed), denied (it failed; with its own words).
Result<std::string> ask_program(std::vector<std::string> words);

}  // namespace tapal::app
