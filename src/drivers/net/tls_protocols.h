// Inside drivers/net only: what TLS servers answer to the protocols that a client offers (ALPN,
// RFC 7301), challenges of certificate authorities among them (RFC 8737).
#pragma once

#include <openssl/ssl.h>

namespace tapal::tls {

// Where the SSL's app data is a WebTls, its clients get http/1.1, or a challenge's certificate;
// elsewhere what they offer is passed over, as mail servers do.
void answer_protocols(SSL_CTX* context);

}  // namespace tapal::tls
