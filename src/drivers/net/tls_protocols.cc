#include "drivers/net/tls_protocols.h"

#include <span>
#include <string>
#include <string_view>

#include "drivers/net/tls_certificate.h"
#include "drivers/net/tls_context.h"
#include "drivers/net/tls_hello.h"
#include "values/text/ascii.h"

namespace tapal::tls {
namespace {

std::string_view extension(SSL* ssl, unsigned type) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, type, &bytes, &size) != 1) return {};
  return {reinterpret_cast<const char*>(bytes), size};
}

// Picks `wanted` of the client's list: an element of `offered` is its length and its name.
int choose(std::string_view wanted,
           std::span<const unsigned char> offered,
           const unsigned char** chosen,
           unsigned char* size) {
  while (!offered.empty() && offered.size() > offered[0]) {
    const auto one = offered.subspan(1, offered[0]);
    if (std::string_view(reinterpret_cast<const char*>(one.data()), one.size()) == wanted) {
      *chosen = one.data();
      *size = offered[0];
      return SSL_TLSEXT_ERR_OK;
    }
    offered = offered.subspan(1 + one.size());
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol (RFC 7301 section 3.2)
}

// NOLINTNEXTLINE(readability-function-size): OpenSSL's signature
int choose_web_protocol(SSL* ssl,
                        const unsigned char** chosen,
                        unsigned char* chosen_size,
                        const unsigned char* offered,
                        unsigned offered_size,
                        void*) {
  if (SSL_get_app_data(ssl) == nullptr) return SSL_TLSEXT_ERR_NOACK;
  return choose("http/1.1", {offered, offered_size}, chosen, chosen_size);
}

// NOLINTNEXTLINE(readability-function-size): OpenSSL's signature
int choose_acme_protocol(SSL*,
                         const unsigned char** chosen,
                         unsigned char* chosen_size,
                         const unsigned char* offered,
                         unsigned offered_size,
                         void*) {
  return choose(acme_tls_protocol, {offered, offered_size}, chosen, chosen_size);
}

// From here on the challenge's certificate is this connection's.
bool show(SSL* ssl, const ChallengeBoard::TlsAnswer& answer, std::string host) {
  const auto context = make_context(TLS_server_method(), TlsVersion::tls_1_2);
  const ServedCertificate certificate{{}, answer.chain_pem, answer.key_pem, std::move(host)};
  if (!use_certificate(context.get(), certificate)) return false;
  SSL_CTX_set_alpn_select_cb(context.get(), &choose_acme_protocol, nullptr);
  // Else the listener's own would choose a certificate again.
  SSL_CTX_set_tlsext_servername_callback(
      context.get(), +[](SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; });
  return SSL_set_SSL_CTX(ssl, context.get()) != nullptr;
}

// A client that offers acme-tls/1 alone and asks for a name on the board is a certificate
// authority. One that asks for another name is refused when a protocol is chosen.
int on_hello(SSL* ssl, int* /*alert*/, void* /*unused*/) {
  const auto* const web = static_cast<const WebTls*>(SSL_get_app_data(ssl));
  if (web == nullptr) return SSL_CLIENT_HELLO_SUCCESS;
  const auto protocol =
      only_protocol(extension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation));
  const auto name = server_name(extension(ssl, TLSEXT_TYPE_server_name));
  if (protocol != acme_tls_protocol || !name) return SSL_CLIENT_HELLO_SUCCESS;
  auto host = text::to_lower(*name);
  if (const auto answer = web->challenges().tls(host)) show(ssl, *answer, std::move(host));
  return SSL_CLIENT_HELLO_SUCCESS;
}

}  // namespace

void answer_protocols(SSL_CTX* context) {
  SSL_CTX_set_client_hello_cb(context, &on_hello, nullptr);
  SSL_CTX_set_alpn_select_cb(context, &choose_web_protocol, nullptr);
}

}  // namespace tapal::tls
