#include "values/mail/grammar.h"

#include <algorithm>

namespace tapal::mail {

bool is_dot_atom(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.' : !is_atom_char(c)) return false;
    before = c;
  }
  return before != '.';
}

bool has_control(std::string_view text) {
  if (std::ranges::any_of(text, is_control_char)) return true;
  for (std::size_t i = text.find('\xC2'); i < text.size(); i = text.find('\xC2', i + 1)) {
    if (i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace tapal::mail
