#include "drivers/net/tls_context.h"

#include <array>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace tapal::tls {

std::string last_error() {
  const auto code = ERR_peek_last_error();
  if (code == 0) return "the peer broke off";
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "error " + std::to_string(code) : reason;
}

ContextPtr make_context(const SSL_METHOD* method, TlsVersion least_version) {
  ContextPtr context(SSL_CTX_new(method));
  SSL_CTX_set_min_proto_version(
      context.get(), least_version == TlsVersion::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(
      context.get(),
      SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // TLS 1.2 with forward secrecy and authenticated encryption only.
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL");
  return context;
}

void join(SSL* client, SSL* server) {
  BIO* of_client = nullptr;
  BIO* of_server = nullptr;
  BIO_new_bio_pair(&of_client, 0, &of_server, 0);
  SSL_set_bio(client, of_client, of_client);
  SSL_set_bio(server, of_server, of_server);
  SSL_set_connect_state(client);
  SSL_set_accept_state(server);
}

std::string peer_certificates(const SSL* ssl) {
  const BioPtr pem(BIO_new(BIO_s_mem()));
  const auto* chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i)
    PEM_write_bio_X509(pem.get(), sk_X509_value(chain, i));
  const char* text = nullptr;
  const long size = BIO_ctrl(pem.get(), BIO_CTRL_INFO, 0, &text);
  return {text, static_cast<std::size_t>(size)};
}

Result<std::string> exporter_binding(SSL* ssl) {
  // RFC 9266 section 4.2: under TLS 1.2 only with the extended master secret.
  if (SSL_version(ssl) != TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
    return fail(Code::not_found, "this connection has no unique key material");
  constexpr std::string_view label = "EXPORTER-Channel-Binding";
  std::string binding(32, '\0');
  const int done = SSL_export_keying_material(ssl,
                                              reinterpret_cast<unsigned char*>(binding.data()),
                                              binding.size(),
                                              label.data(),
                                              label.size(),
                                              nullptr,
                                              0,
                                              1);
  if (done != 1) return fail(Code::internal, "key material cannot be exported: " + last_error());
  return binding;
}

Result<std::string> end_point_binding(SSL* ssl) {
  CertificatePtr peers;
  X509* certificate = nullptr;
  if (SSL_is_server(ssl) == 1) {
    certificate = SSL_get_certificate(ssl);
  } else {
    peers.reset(SSL_get1_peer_certificate(ssl));
    certificate = peers.get();
  }
  if (certificate == nullptr) return fail(Code::not_found, "the server has no certificate");
  int digest_id = NID_undef;
  X509_get_signature_info(certificate, &digest_id, nullptr, nullptr, nullptr);
  // MD5, SHA-1, and signatures without a digest of their own, use SHA-256.
  if (digest_id == NID_md5 || digest_id == NID_sha1 || digest_id == NID_undef)
    digest_id = NID_sha256;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_get_digestbynid(digest_id), digest.data(), &size) != 1)
    return fail(Code::internal, "the certificate cannot be hashed: " + last_error());
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

}  // namespace tapal::tls
