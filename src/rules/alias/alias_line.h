// The layout of a line of an aliases file: where its name, its targets and its comment are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::alias {

// Views into the line, trimmed, as they are written.
struct AliasLine {
  std::string_view name;     // ann, "john doe", *, /sales-.*/
  std::string_view targets;  // without the comment
};

// Takes the first line off `text`, with its line end.
std::string_view take_line(std::string_view& text);

// Nothing for a line that is empty or only a comment. The Error tells that the colon is missing.
Result<std::optional<AliasLine>> read_alias_line(std::string_view line);

// "#" begins a comment at the front and after white space, outside of quotes.
std::string_view without_comment(std::string_view text);

// Whether it is one of those that take all that follows, commas too: "|" and ":reject:".
bool takes_the_rest(std::string_view target);

// Parted by commas outside of quotes, trimmed, empty ones kept. The Error tells of a quote that is
// not closed.
Result<std::vector<std::string_view>> split_targets(std::string_view targets);

// Parted by white space. A word or a part of one may stand in double quotes, where \" and \\ are a
// quote and a backslash, or in single quotes, where nothing has a meaning. No other signs have one.
Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace tapal::alias
