// Base64 of RFC 4648: the common alphabet and the one for URLs.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::text {

std::string to_base64(std::string_view bytes);      // padded, one line
std::string to_base64_url(std::string_view bytes);  // section 5, without padding, as JOSE wants it

// Strict: padding required, no white space, no stray bits at the end. Code::invalid otherwise.
// The text may be a secret, so no error repeats it.
Result<std::string> from_base64(std::string_view text);
Result<std::string> from_base64_url(std::string_view text);  // without padding

// The same with white space anywhere, as in PEM, DKIM tags and MIME bodies.
Result<std::string> from_base64_lines(std::string_view text);

}  // namespace tapal::text
