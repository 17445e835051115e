#include "protocols/smtp/xtext.h"

#include <cstdint>

#include "values/mail/grammar.h"
#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::smtp {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

// RFC 3461 section 4 knows upper case only.
std::optional<unsigned> hex_value(char c) {
  const std::size_t at = hex_digits.find(c);
  if (at == std::string_view::npos) return {};
  return static_cast<unsigned>(at);
}

constexpr bool is_xchar(char c) { return c > ' ' && c < 0x7F && c != '+' && c != '='; }

// The character of "{HEX}" at the start of `text`, which loses it. RFC 6533 section 3 allows two
// to six digits.
std::optional<char32_t> take_braced_hex(std::string_view& text) {
  const std::size_t close = text.find('}');
  if (!text.starts_with('{') || close == std::string_view::npos) return {};
  const std::string_view digits = text.substr(1, close - 1);
  if (digits.size() < 2 || digits.size() > 6) return {};
  char32_t character = 0;
  for (const char c : digits) {
    const auto value = hex_value(c);
    if (!value) return {};
    character = character * 16 + *value;
  }
  const bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
  if (character < 0x20 || character == 0x7F || character > 0x10FFFF || is_surrogate) return {};
  text.remove_prefix(close + 1);
  return character;
}

}  // namespace

std::string encode_xtext(std::string_view text) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_xchar(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'+', hex_digits[byte >> 4U], hex_digits[byte & 15U]};
  }
  return encoded;
}

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '+') {
      if (at + 2 >= text.size()) return {};
      const auto high = hex_value(text[at + 1]);
      const auto low = hex_value(text[at + 2]);
      if (!high || !low) return {};
      c = static_cast<char>(*high * 16 + *low);
      at += 2;
    } else if (!is_xchar(c)) {
      return {};
    }
    if (mail::is_control_char(c)) return {};
    decoded += c;
  }
  return decoded;
}

std::optional<std::string> decode_utf8_address(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with("\\x")) {
      text.remove_prefix(2);
      const auto character = take_braced_hex(text);
      if (!character) return {};
      decoded += text::utf8_encode(*character);
      continue;
    }
    const std::size_t bytes = text::utf8_length(text);
    if (bytes == 0) return {};
    if (bytes == 1 && (!is_xchar(text.front()) || text.front() == '\\')) return {};
    decoded += text.substr(0, bytes);
    text.remove_prefix(bytes);
  }
  return decoded;
}

}  // namespace tapal::smtp
