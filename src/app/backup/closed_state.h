// A state folder that no server may use, because its queue is not whole yet or has gone elsewhere:
// a file in it says why, to people.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::app {

inline constexpr std::string_view closed_file_name = "closed";

// `why` is one sentence or more, of which the last says what to do. Makes the folder.
Result<void> close_state(const std::filesystem::path& state, std::string_view why);
Result<void> open_state(const std::filesystem::path& state);

// Nothing: it is open.
std::optional<std::string> why_closed(const std::filesystem::path& state);
Result<void> check_state_is_open(const std::filesystem::path& state);  // Code::denied

}  // namespace tapal::app
