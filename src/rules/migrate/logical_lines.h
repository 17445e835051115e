// Lines as Postfix's files have them: one that begins with white space goes on with the line
// before; "#" before anything else begins a comment.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tapal::migrate {

struct LogicalLine {
  std::string text;
  std::size_t number = 0;  // of its first line, from 1
};
std::vector<LogicalLine> logical_lines(std::string_view text);

// Parted by commas and white space, as most of Postfix's lists are; { } keeps what is in it whole.
std::vector<std::string> list_items(std::string_view text);

}  // namespace tapal::migrate
