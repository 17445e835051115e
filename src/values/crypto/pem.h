// The textual wrapping of keys and certificates (RFC 7468).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::crypto {

// The bytes of the first block of that label: "CERTIFICATE". Code::invalid: there is none, or it is
// damaged.
Result<std::string> pem_body(std::string_view text, std::string_view label);

}  // namespace tapal::crypto
