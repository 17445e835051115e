// The text of domains/<domain>/aliases, one alias a line:
//   ann: target, target          every name but the pattern's in any case
//   *: target                    catch-all: what is neither a user nor an alias
//   /sales-(.*)/: target         what matches whole, tried in the file's order before the catch-all
// rules/alias/rule_target.h says what a target may be. "#" begins a comment.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/account/domain_settings.h"
#include "rules/alias/pattern.h"
#include "rules/alias/rule_target.h"

namespace tapal::alias {

inline constexpr std::size_t aliases_per_domain_max = 100'000;
inline constexpr std::size_t patterns_per_domain_max = 1000;  // each is tried for unknown names
inline constexpr std::size_t alias_line_bytes_max = 64 * 1024;
inline constexpr std::size_t targets_max = 1000;  // of one alias, before and after expansion
inline constexpr std::size_t includes_per_domain_max = 1000;
inline constexpr std::size_t include_bytes_max = 256 * 1024;

struct AliasRule {
  enum class Kind : std::uint8_t { name, pattern, catch_all };
  Kind kind = Kind::name;
  std::string name;  // a local part, the pattern with its slashes, or "*"
  std::optional<Pattern> pattern;
  std::vector<RuleTarget> targets;  // no includes: their addresses stand in their place
  std::size_t line = 0;             // from 1
};

// The text of a file beside the aliases file, at most include_bytes_max. The Error names the file.
using ReadInclude = std::function<Result<std::string>(std::string_view file)>;

struct AliasesSource {
  std::string_view text;
  std::string_view domain;
  std::string_view file_name;  // for messages
  const account::DomainSettings& settings;
  const ReadInclude& read_include;  // empty: there are no other files
};

// Each problem is "file:line: what is wrong".
struct AliasesFile {
  std::vector<AliasRule> rules;
  std::vector<std::string> problems;
};
AliasesFile read_aliases(const AliasesSource& source);

// What addresses of one of our domains are looked up by: mail::Address::key(), without the dots of
// the local part where the domain ignores them.
std::string lookup_key(const mail::Address& address, const account::DomainSettings& settings);

}  // namespace tapal::alias
