// dkim-quoted-printable (RFC 6376 section 2.11), for the tags i= and n=.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::mailauth {

std::string to_quoted_value(std::string_view bytes);
// White space inside is folding and goes. Code::invalid: "=" without two hexadecimal digits.
Result<std::string> from_quoted_value(std::string_view text);

}  // namespace tapal::mailauth
