#include "values/text/percent.h"

#include "values/text/ascii.h"

namespace tapal::text {

std::string percent_encoded(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view unreserved_marks = "-._~";  // RFC 3986 section 2.3
  std::string out;
  for (const char c : bytes) {
    if (is_alnum(c) || unreserved_marks.contains(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

}  // namespace tapal::text
