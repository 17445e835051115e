// Inside drivers/net only: a certificate, its chain and its key into an SSL_CTX.
#pragma once

#include <openssl/ssl.h>

#include "base/result.h"
#include "drivers/net/tls.h"

namespace tapal::tls {

// Errors (invalid) name the origin: unreadable PEM, a key of another certificate, one that has
// expired or is not valid yet.
Result<void> use_certificate(SSL_CTX* context, const ServedCertificate& certificate);

}  // namespace tapal::tls
