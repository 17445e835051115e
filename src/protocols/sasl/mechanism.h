// The SASL mechanisms tapal speaks, and what ties an exchange to its TLS connection.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::sasl {

enum class Mechanism : std::uint8_t {
  plain,               // RFC 4616
  login,               // draft-murchison-sasl-login, for old clients
  scram_sha_256,       // RFC 5802, RFC 7677
  scram_sha_256_plus,  // the same, bound to the TLS connection
};

std::string_view name_of(Mechanism mechanism);
std::optional<Mechanism> mechanism_from_name(std::string_view name);  // case does not matter

inline constexpr std::size_t nonce_bytes_min = 18;  // of each side of SCRAM: 108 bits in base64

// Channel binding data of the connection; empty where the TLS library has none.
struct ChannelBindings {
  std::string tls_exporter;          // RFC 9266; TLS 1.3, or 1.2 with the extended master secret
  std::string tls_server_end_point;  // RFC 5929 section 4
  bool none() const { return tls_exporter.empty() && tls_server_end_point.empty(); }
};

// The strongest of the mechanisms a server offers that we can do; SCRAM before clear passwords.
std::optional<Mechanism> choose_mechanism(std::span<const std::string> offered,
                                          const ChannelBindings& bindings);

// A user name or password as both sides must write it before comparing or hashing: normal form C,
// no control characters, not empty. That is what SASLprep (RFC 4013) comes to for names and
// passwords people use; its mapping of exotic spaces and its ban on unassigned code points are
// left out.
Result<std::string> prepared(std::string_view text);

}  // namespace tapal::sasl
