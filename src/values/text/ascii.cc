#include "values/text/ascii.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/utf8.h"

namespace tapal::text {

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return to_lower(c); });
  return lower;
}

std::string to_upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](char c) { return to_upper(c); });
  return upper;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (!(text = trim(text)).empty()) {
    const auto end = std::ranges::find_if(text, is_white_space);
    found.emplace_back(text.begin(), end);
    text.remove_prefix(found.back().size());
  }
  return found;
}

namespace {

// Control characters of both sets: C0, DEL, and C1 (U+0080 to U+009F, two bytes in UTF-8).
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

}  // namespace

std::string printable(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view ellipsis = "...";
  std::string shown;
  std::size_t cut = 0;  // where the ellipsis still fits, never within a character or an escape
  while (!text.empty()) {
    const std::size_t valid = utf8_length(text);
    const std::string_view piece = text.substr(0, std::max<std::size_t>(valid, 1));
    text.remove_prefix(piece.size());
    if (shown.size() + ellipsis.size() <= bytes_max) cut = shown.size();
    if (piece == "\\") {
      shown += "\\\\";
    } else if (valid == 0 || is_control(piece)) {
      for (const char c : piece) shown += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    } else {
      shown += piece;
    }
    if (shown.size() > bytes_max) {
      shown.resize(cut);
      return shown.append(ellipsis.substr(0, bytes_max));
    }
  }
  return shown;
}

}  // namespace tapal::text
