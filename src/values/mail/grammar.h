// The character classes and quoting of RFC 5322 section 3.2 and RFC 6532, shared by addresses,
// header fields and MIME parameters.
#pragma once

#include <string>
#include <string_view>

#include "values/text/ascii.h"

namespace tapal::mail {

constexpr bool is_ascii_char(char c) { return static_cast<unsigned char>(c) < 0x80; }
constexpr bool is_control_char(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// RFC 5322 section 3.2.3, with the bytes of UTF-8 (RFC 6532 section 3.2).
constexpr bool is_atom_char(char c) {
  constexpr std::string_view specials = "!#$%&'*+-/=?^_`{|}~";
  return !is_ascii_char(c) || text::is_alnum(c) || specials.contains(c);
}

// RFC 2045 section 5.1.
constexpr bool is_token_char(char c) {
  constexpr std::string_view specials = "!#$%&'*+-.^_`{|}~";
  return text::is_alnum(c) || specials.contains(c);
}

bool is_dot_atom(std::string_view text);   // not empty, no empty part between dots
bool has_control(std::string_view text);   // of either set, also as UTF-8: U+0000 to U+009F
std::string quote(std::string_view text);  // in double quotes, with \ where it must be

}  // namespace tapal::mail
