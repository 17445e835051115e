// A pattern over whole local parts, "/sales-(.*)/", in RE2's syntax: matching takes time linear in
// the text, whoever wrote it. Case does not matter.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::alias {

inline constexpr std::size_t pattern_bytes_max = 1000;
inline constexpr std::size_t captures_max = 9;  // \1 to \9

class Pattern {
 public:
  // `text` without the slashes around it. The Error says what RE2 finds wrong.
  static Result<Pattern> compile(std::string_view text);

  std::size_t captures() const;
  // What the groups matched, the whole text first; nothing when the pattern does not match it all.
  std::optional<std::vector<std::string>> match(std::string_view local) const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;  // read by all threads, never changed
};

}  // namespace tapal::alias
