// Host names and internationalized domain names (RFC 5890; mapping by Unicode TR46,
// non-transitional, as browsers do it).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::text {

inline constexpr std::size_t domain_bytes_max = 253;  // RFC 1035 section 2.3.4, without the root
inline constexpr std::size_t label_bytes_max = 63;

// Letters, digits and hyphens, labels of 1 to 63, 253 in all, no final dot (RFC 1123 section 2.1).
// The last label is not all digits, so that no IPv4 address passes.
Result<void> check_hostname(std::string_view domain);

// "Bücher.example" -> "xn--bcher-kva.example": lower case A-labels that pass check_hostname().
// One final dot is dropped. Code::invalid names the rule that is broken.
Result<std::string> domain_to_ascii(std::string_view domain);

// For people to read: "xn--bcher-kva.example" -> "bücher.example". Never for comparing.
Result<std::string> domain_to_unicode(std::string_view domain);

}  // namespace tapal::text
