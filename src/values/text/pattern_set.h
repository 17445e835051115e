// Many patterns tried on one text at once, in RE2's syntax: the time is linear in the text, whoever
// wrote them (docs/decisions/0008-patterns.md). Case does not matter; a pattern may match anywhere.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::text {

inline constexpr std::size_t pattern_bytes_max = 1000;
inline constexpr std::size_t patterns_max = 2000;
inline constexpr std::size_t pattern_text_bytes_max = 2048;  // more of a text is not looked at

// What is wrong with a pattern, for people; empty when it is one.
std::string pattern_problem(std::string_view pattern);

// One pattern that matches where any of these does.
std::string any_of(std::span<const std::string> patterns);

class PatternSet {
 public:
  PatternSet() = default;  // matches nothing
  // Code::invalid: a pattern that is none, too many of them, or together too large.
  static Result<PatternSet> compile(std::span<const std::string> patterns);

  // The indices of all patterns that are found in the text, in the order given.
  std::vector<std::size_t> matches(std::string_view text) const;
  // The first of them.
  std::optional<std::size_t> first_match(std::string_view text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;  // read by all threads, never changed
};

}  // namespace tapal::text
