// ASCII text as protocols use it: case folding, trimming, splitting. Never looks at the locale.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapal::text {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
constexpr bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_white_space(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

std::string_view trim(std::string_view text);  // spaces, tabs, CR and LF at both ends
bool is_ascii(std::string_view text);          // every byte below 128
std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty parts
std::vector<std::string_view> words(std::string_view text);  // between runs of white space

// The whole text as a decimal number, or nothing: no sign for unsigned types, no spaces.
template <std::integral Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [last, error] = std::from_chars(begin, end, number);
  if (text.empty() || error != std::errc{} || last != end) return {};
  return number;
}

// Safe to print in one log line or reply: control characters, DEL and broken UTF-8 become \xNN,
// backslash becomes \\; text longer than `bytes_max` is cut and ends in "...".
std::string printable(std::string_view text, std::size_t bytes_max = 512);

}  // namespace tapal::text
