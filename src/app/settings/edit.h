// A setting written into tapal.toml by a tool: one line changes, comments and all else stay.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::app {

// `name` as docs/settings.md has it ("listen.http", or a route that is not there yet:
// "routes.\"*\""), `value` as TOML has it ("\"text\"", "[]", 5).
// The line that sets it is replaced; else one is added below its sample line, or at the head of its
// table. Errors (invalid): no such setting, a value that it cannot have, a value in the file that
// goes over several lines.
Result<std::string> with_setting(std::string_view text,
                                 std::string_view name,
                                 std::string_view value);

// The same in the folder's tapal.toml. True when the file has changed.
Result<bool> write_setting(const std::filesystem::path& config_folder,
                           std::string_view name,
                           std::string_view value);

}  // namespace tapal::app
