// Inside drivers/net only: two extensions of a ClientHello, from the bytes as they came. OpenSSL
// shows what a client asked for only after it has chosen a certificate.
#pragma once

#include <optional>
#include <string_view>

namespace tapal::tls {

// The protocol of an ALPN extension (RFC 7301 section 3.1) that offers this one alone; borrowed.
std::optional<std::string_view> only_protocol(std::string_view extension);

// The host name of a server_name extension (RFC 6066 section 3); borrowed.
std::optional<std::string_view> server_name(std::string_view extension);

}  // namespace tapal::tls
