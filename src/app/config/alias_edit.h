// One alias of the configuration folder changed, for commands.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "app/cli/command.h"
#include "base/result.h"
#include "rules/alias/aliases_edit.h"

namespace tapal::app {

// alias::add_alias or alias::remove_alias.
using AliasEdit = Result<std::string> (*)(std::string_view text,
                                          std::string_view domain,
                                          std::string_view name,
                                          std::span<const std::string> targets);

// `address` is "info@example.com", "*@example.com" or "/sales-.*/@example.com". Gives the file.
// Nothing is written that the server would not take in. Errors: invalid (what would be wrong, or
// the edit's own), not_found (no domain of this server).
Result<std::filesystem::path> edit_alias(const CommonOptions& common,
                                         std::string_view address,
                                         std::span<const std::string> targets,
                                         AliasEdit edit);

// The same for a whole aliases file of a domain of ours.
Result<void> edit_aliases_file(const CommonOptions& common,
                               std::string_view domain,
                               const std::function<Result<std::string>(std::string_view)>& change);

}  // namespace tapal::app
