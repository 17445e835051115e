// JSON Web Signatures in the flattened form (RFC 7515 section 7.2.2) and keys as RFC 7638 hashes
// them, with the two algorithms that ACME asks for: ES256 and HS256 (RFC 7518).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "values/crypto/key.h"

namespace tapal::crypto {

// {"crv":"P-256","kty":"EC","x":"...","y":"..."}: the public half, in the one spelling that a
// thumbprint is made of (RFC 7638 section 3.2). Code::invalid for keys of another kind.
Result<std::string> json_web_key(const PrivateKey& key);
// Base64url of the SHA-256 of such a text.
std::string json_web_key_thumbprint(std::string_view json_web_key);

// R and S, 32 bytes each (RFC 7518 section 3.4). Code::invalid for keys of another kind.
Result<std::string> sign_es256(const PrivateKey& key, std::string_view input);

// {"protected":"...","payload":"...","signature":"..."}. `header` is a JSON text that names the
// algorithm; an empty `payload` is that of POST-as-GET (RFC 8555 section 6.3).
Result<std::string> sign_json_es256(const PrivateKey& key,
                                    std::string_view header,
                                    std::string_view payload);
std::string sign_json_hs256(std::string_view secret,
                            std::string_view header,
                            std::string_view payload);

}  // namespace tapal::crypto
