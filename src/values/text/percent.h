// Percent-encoding of RFC 3986 section 2.1, as URLs and signatures over them need it.
#pragma once

#include <string>
#include <string_view>

namespace tapal::text {

// Everything but letters, digits and - . _ ~ becomes %XX, upper case: a whole path segment, or the
// key or value of a query.
std::string percent_encoded(std::string_view bytes);
// The other way round. A % without two hexadecimal digits behind it stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace tapal::text
