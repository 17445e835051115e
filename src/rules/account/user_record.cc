#include "rules/account/user_record.h"

#include <algorithm>

#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::account {

bool UserRecord::holds(std::string_view credential) const {
  return credential == password_hash ||
         std::ranges::find(app_passwords, credential, &AppPassword::text) != app_passwords.end();
}

std::string user_name_problem(std::string_view name) {
  constexpr std::size_t name_bytes_max = 64;  // RFC 5321 section 4.5.3.1.1
  if (name.empty()) return "the name is empty";
  if (name.size() > name_bytes_max) return "the name is longer than 64 bytes";
  if (!text::is_valid_utf8(name)) return "the name is not UTF-8";
  if (name.starts_with('.') || name.ends_with('.') || name.contains(".."))
    return "dots may stand only between other characters of a name";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7F) return "a name has no spaces and no control characters";
    if (c == '+') return "\"+\" sets a suffix off and cannot be part of a name";
    if (std::string_view("/\\:;,@*\"'`()<>[]#|").contains(c))
      return std::string("a name cannot contain \"") + c + "\"";
  }
  return {};
}

}  // namespace tapal::account
