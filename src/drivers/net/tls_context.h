// Inside drivers/net only: from our contexts to an SSL on a descriptor.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "base/result.h"
#include "drivers/net/tls.h"

namespace tapal::tls {

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using SslPtr = std::unique_ptr<SSL, Free>;
using ContextPtr = std::unique_ptr<SSL_CTX, Free>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using BioPtr = std::unique_ptr<BIO, Free>;

struct Prepared {
  SslPtr ssl;
  std::shared_ptr<const void> keeper;  // keep as long as the SSL
};
Prepared prepare_server(TlsServer& server, int descriptor);
// `session_key` must outlive the SSL; empty: no resumption.
Prepared prepare_client(TlsClient& client,
                        int descriptor,
                        const TlsConnectOptions& options,
                        const std::string& session_key);

// The reason of the newest error in this thread's queue, for people.
std::string last_error();

// Settings common to both sides: versions, modes, no compression, no renegotiation.
ContextPtr make_context(const SSL_METHOD* method, TlsVersion least_version);

// The two ends of one connection in memory.
void join(SSL* client, SSL* server);

std::string peer_certificates(const SSL* ssl);  // as PEM, its own first

Result<std::string> exporter_binding(SSL* ssl);   // RFC 9266
Result<std::string> end_point_binding(SSL* ssl);  // RFC 5929 section 4

}  // namespace tapal::tls
