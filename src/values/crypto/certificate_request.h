// Certificate signing requests (RFC 2986, PKCS #10), as certificate authorities take them today:
// the names are alternative names only, the subject stays empty.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "values/crypto/key.h"

namespace tapal::crypto {

// As DER. `names` as make_self_signed() takes them; 1 to certificate_names_max.
Result<std::string> make_certificate_request(const std::vector<std::string>& names,
                                             const PrivateKey& key);

}  // namespace tapal::crypto
