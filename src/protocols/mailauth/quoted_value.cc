#include "protocols/mailauth/quoted_value.h"

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::mailauth {

std::string to_quoted_value(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c > 0x20 && c < 0x7f && c != ';' && c != '=') {
      text += c;
    } else {
      text += fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

Result<std::string> from_quoted_value(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text::is_white_space(text[i])) continue;
    if (text[i] != '=') {
      bytes += text[i];
      continue;
    }
    const auto byte = text::from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return fail(Code::invalid, "\"=\" without two hex digits");
    bytes += *byte;
    i += 2;
  }
  return bytes;
}

}  // namespace tapal::mailauth
