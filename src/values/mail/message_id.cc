#include "values/mail/message_id.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/mail/grammar.h"
#include "values/text/hex.h"

namespace tapal::mail {

namespace {
constexpr std::size_t message_id_bytes_max =
    995;  // a line of 998 less its folding space and brackets' room
}  // namespace

std::string make_message_id(std::string_view random_bytes, std::string_view domain) {
  return fmt::format("<{}@{}>", text::to_hex(random_bytes), domain);
}

bool is_message_id(std::string_view text) {
  if (text.size() > message_id_bytes_max || !text.starts_with('<') || !text.ends_with('>')) {
    return false;
  }
  if (text.size() < 2) return false;
  const std::string_view inside = text.substr(1, text.size() - 2);
  const auto illegal = [](char c) {
    return c == '<' || c == '>' || c == ' ' || is_control_char(c);
  };
  const std::size_t at = inside.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < inside.size() &&
         std::ranges::none_of(inside, illegal);
}

}  // namespace tapal::mail
