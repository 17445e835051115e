#include "rules/migrate/logical_lines.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::migrate {

std::vector<LogicalLine> logical_lines(std::string_view text) {
  std::vector<LogicalLine> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto trimmed = text::trim(line);
    if (trimmed.empty() || trimmed.starts_with('#')) continue;
    if (text::is_white_space(line.front()) && !lines.empty())
      lines.back().text.append(" ").append(trimmed);
    else
      lines.push_back({std::string(trimmed), number});
  }
  return lines;
}

std::vector<std::string> list_items(std::string_view text) {
  std::vector<std::string> items;
  std::string item;
  int depth = 0;
  for (const char c : text) {
    if (depth == 0 && (c == ',' || text::is_white_space(c))) {
      if (!item.empty()) items.push_back(std::move(item));
      item.clear();
      continue;
    }
    depth += c == '{' ? 1 : c == '}' && depth > 0 ? -1 : 0;
    item += c;
  }
  if (!item.empty()) items.push_back(std::move(item));
  return items;
}

}  // namespace tapal::migrate
