// Edits of an aliases file that keep every other line, each comment and the layout byte for byte.
// Lines that cannot be read stay as they are. What an edit makes is to be read again
// (rules/alias/aliases_file.h) before it is written: names and targets are not checked here.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::alias {

struct ListedAlias {
  std::string name;  // as written, like the targets
  std::vector<std::string> targets;
  std::size_t line = 0;  // from 1
};
std::vector<ListedAlias> list_aliases(std::string_view text);

// What names of aliases are compared by: a pattern and a catch-all by what is written.
std::string alias_key(std::string_view name, std::string_view domain);

// A new line at the end, or more targets on the line that is there: those it does not have.
// `domain` tells which names are the same. Error: invalid when there is nothing to add, or when
// the line ends in a program or a rejection.
Result<std::string> add_alias(std::string_view text,
                              std::string_view domain,
                              std::string_view name,
                              std::span<const std::string> targets);

// The line, or only these targets of it; the line too when none would be left. Error: not_found.
Result<std::string> remove_alias(std::string_view text,
                                 std::string_view domain,
                                 std::string_view name,
                                 std::span<const std::string> targets);

}  // namespace tapal::alias
