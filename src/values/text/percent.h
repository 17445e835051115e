// Percent-encoding of parts of a URL (RFC 3986 section 2.1).
#pragma once

#include <string>
#include <string_view>

namespace tapal::text {

// All but the unreserved characters (section 2.3) become %XX, in upper case: fit for a segment of
// a path, and for a name or value of a query.
std::string percent_encode(std::string_view text);

}  // namespace tapal::text
