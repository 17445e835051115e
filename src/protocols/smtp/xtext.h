// xtext of RFC 3461 section 4: how parameter values carry "+", "=" and what is not printable.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tapal::smtp {

std::string encode_xtext(std::string_view text);
// Nothing when it is not xtext, or when it hides a control character, which has no place in an
// address or an identifier and would break out of the line it is printed on.
std::optional<std::string> decode_xtext(std::string_view text);

// utf-8-addr-xtext and utf-8-addr-unitext of RFC 6533 section 3, with \x{HEX} for characters.
std::optional<std::string> decode_utf8_address(std::string_view text);

}  // namespace tapal::smtp
