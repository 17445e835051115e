// The text of domains/<domain>/aliases, one alias a line:
//   local: target, target      a target is a local part of this domain or an address of ours
//   *: target                  catch-all: every local part that is no user and no alias
// "#" begins a comment line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "values/mail/address.h"

namespace tapal::alias {

inline constexpr std::size_t aliases_per_domain_max = 100'000;
inline constexpr std::size_t alias_line_bytes_max = 64 * 1024;
inline constexpr std::size_t targets_max = 1000;  // of one alias, before and after expansion

struct AliasRule {
  std::string name;  // "*" is the catch-all
  std::vector<mail::Address> targets;
  std::size_t line = 0;  // from 1
};

// Each problem is "file:line: what is wrong".
struct AliasesFile {
  std::vector<AliasRule> rules;
  std::vector<std::string> problems;
};
AliasesFile read_aliases(std::string_view text,
                         std::string_view domain,
                         std::string_view file_name);

}  // namespace tapal::alias
