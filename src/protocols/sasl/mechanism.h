// The SASL mechanisms tapal speaks, and what ties an exchange to its TLS connection.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tapal::sasl {

enum class Mechanism : std::uint8_t {
  plain,               // RFC 4616
  login,               // draft-murchison-sasl-login, for old clients
  scram_sha_256,       // RFC 5802, RFC 7677
  scram_sha_256_plus,  // the same, bound to the TLS connection
};

std::string_view name_of(Mechanism mechanism);
std::optional<Mechanism> mechanism_from_name(std::string_view name);  // case does not matter

// Channel binding data of the connection; empty where the TLS library has none.
struct ChannelBindings {
  std::string tls_exporter;          // RFC 9266; TLS 1.3, or 1.2 with the extended master secret
  std::string tls_server_end_point;  // RFC 5929 section 4
  bool none() const { return tls_exporter.empty() && tls_server_end_point.empty(); }
};

// The strongest of the mechanisms a server offers that we can do; SCRAM before clear passwords.
std::optional<Mechanism> choose_mechanism(std::span<const std::string> offered,
                                          const ChannelBindings& bindings);

}  // namespace tapal::sasl
