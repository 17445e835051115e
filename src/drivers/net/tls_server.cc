#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/snapshot.h"
#include "drivers/net/tls_certificate.h"
#include "drivers/net/tls_context.h"
#include "drivers/net/tls_protocols.h"
#include "values/crypto/certificate.h"
#include "values/crypto/hash.h"
#include "values/text/ascii.h"

namespace tapal {

namespace {

struct TicketKey {
  std::array<unsigned char, 16> name{};
  std::array<unsigned char, 32> cipher{};
  std::array<unsigned char, 32> mac{};
};

TicketKey make_ticket_key() {
  TicketKey key;
  RAND_bytes(key.name.data(), static_cast<int>(key.name.size()));
  RAND_bytes(key.cipher.data(), static_cast<int>(key.cipher.size()));
  RAND_bytes(key.mac.data(), static_cast<int>(key.mac.size()));
  return key;
}

}  // namespace

// The newest key first; those behind it only open old tickets.
struct TicketKeys::Ring {
  explicit Ring(Duration life) : lifetime(life) {}

  TicketKey newest() {
    const std::scoped_lock lock(mutex);
    rotate_if_due();
    return keys.front();
  }
  std::optional<std::pair<TicketKey, bool>> find(
      const unsigned char* name) {  // and whether it is the newest
    const std::scoped_lock lock(mutex);
    rotate_if_due();
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (std::memcmp(keys[i].name.data(), name, keys[i].name.size()) == 0)
        return std::pair{keys[i], i == 0};
    return {};
  }
  void rotate() {
    keys.insert(keys.begin(), make_ticket_key());
    keys.resize(std::min<std::size_t>(keys.size(), 3));
    made = std::chrono::steady_clock::now();
  }
  void rotate_if_due() {
    if (keys.empty() || std::chrono::steady_clock::now() - made > lifetime) rotate();
  }

  Duration lifetime;
  std::mutex mutex;
  std::vector<TicketKey> keys;
  Instant made;
};

TicketKeys::TicketKeys(Duration lifetime) : ring_(std::make_unique<Ring>(lifetime)) {}
TicketKeys::~TicketKeys() = default;
void TicketKeys::rotate() {
  const std::scoped_lock lock(ring_->mutex);
  ring_->rotate();
}

namespace {

// One reading of the certificates: an SSL_CTX for each, found by name.
struct CertificateSet {
  std::vector<tls::ContextPtr> contexts;  // the first is the default
  bool is_empty = false;                  // that one has no certificate
  std::map<std::string, SSL_CTX*, std::less<>> by_name;

  SSL_CTX* find(std::string_view name) const {
    if (const auto exact = by_name.find(name); exact != by_name.end()) return exact->second;
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    const auto wildcard = by_name.find("*" + std::string(name.substr(dot)));
    return wildcard == by_name.end() ? nullptr : wildcard->second;
  }
};

int choose_certificate(SSL* ssl, int*, void* set) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  auto* context = static_cast<const CertificateSet*>(set)->find(text::to_lower(name));
  if (context != nullptr) SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

// NOLINTNEXTLINE(readability-function-size): OpenSSL's signature
int use_ticket_key(SSL* ssl,
                   unsigned char* name,
                   unsigned char* iv,
                   EVP_CIPHER_CTX* cipher,
                   EVP_MAC_CTX* mac,
                   int sealing) {
  auto* ring = static_cast<TicketKeys::Ring*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (ring == nullptr) return -1;
  TicketKey key;
  bool newest = true;
  if (sealing == 1) {
    key = ring->newest();
    std::ranges::copy(key.name, name);
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
  } else {
    const auto found = ring->find(name);
    if (!found) return 0;
    std::tie(key, newest) = *found;
  }
  std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(
          OSSL_MAC_PARAM_DIGEST,
          const_cast<char*>("sha256"),
          0),  // NOLINT(cppcoreguidelines-pro-type-const-cast): read only
      OSSL_PARAM_construct_end()};
  if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, sealing) != 1 ||
      EVP_MAC_CTX_set_params(mac, parameters.data()) != 1)
    return -1;
  return newest ? 1 : 2;  // 2: opened, and to be sealed anew with the newest key
}

// Without a certificate (null) every handshake fails but that of a challenge.
Result<tls::ContextPtr> make_server_context(const ServedCertificate* certificate,
                                            const ServerTlsOptions& options) {
  auto context = tls::make_context(TLS_server_method(), options.least_version);
  if (certificate != nullptr) {
    TAPAL_CHECK(tls::use_certificate(context.get(), *certificate));
  }
  tls::answer_protocols(context.get());
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (options.tickets) {
    SSL_CTX_set_app_data(context.get(), &options.tickets->ring());
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context.get(), &use_ticket_key);
  } else {
    SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context.get(), 0);
  }
  return context;
}

Result<std::shared_ptr<const CertificateSet>> make_set(
    const std::vector<ServedCertificate>& certificates, const ServerTlsOptions& options) {
  auto set = std::make_shared<CertificateSet>();
  crypto::Sha256 all;
  for (const auto& certificate : certificates) {
    TAPAL_TRY(auto context, make_server_context(&certificate, options));
    auto names = certificate.names;
    if (names.empty())
      if (const auto facts = crypto::read_certificate(certificate.chain_pem)) names = facts->names;
    for (const auto& name : names) set->by_name.emplace(text::to_lower(name), context.get());
    set->contexts.push_back(std::move(context));
    all.update(certificate.chain_pem);
  }
  set->is_empty = certificates.empty();
  if (set->is_empty) {
    TAPAL_TRY(auto bare, make_server_context(nullptr, options));
    set->contexts.push_back(std::move(bare));
  }
  const auto session_context = all.finish();
  for (const auto& context : set->contexts) {
    SSL_CTX_set_tlsext_servername_callback(context.get(), &choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(context.get(), set.get());
    // Sessions end with the certificates they were made under: the two sides of a resumed one would
    // not agree on tls-server-end-point (RFC 5929 section 4).
    SSL_CTX_set_session_id_context(context.get(), session_context.data(), session_context.size());
  }
  return set;
}

}  // namespace

struct ServerContext::Implementation {
  ServerTlsOptions options;
  Snapshot<CertificateSet> certificates;
};

ServerContext::ServerContext(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
ServerContext::~ServerContext() = default;

Result<std::unique_ptr<ServerContext>> ServerContext::make(
    const std::vector<ServedCertificate>& certificates, ServerTlsOptions options) {
  auto context = without_certificate(std::move(options));
  TAPAL_CHECK(context->replace(certificates));
  return context;
}

std::unique_ptr<ServerContext> ServerContext::without_certificate(ServerTlsOptions options) {
  auto set = make_set({}, options).value();
  auto implementation = std::unique_ptr<Implementation>(
      new Implementation{std::move(options), Snapshot<CertificateSet>(std::move(set))});
  return std::unique_ptr<ServerContext>(new ServerContext(std::move(implementation)));
}

bool ServerContext::is_ready() const { return !implementation_->certificates.get()->is_empty; }

Result<void> ServerContext::replace(const std::vector<ServedCertificate>& certificates) {
  if (certificates.empty()) return fail(Code::invalid, "no certificate to serve");
  TAPAL_TRY(auto set, make_set(certificates, implementation_->options));
  implementation_->certificates.set(std::move(set));
  return {};
}

Result<std::string> ServerContext::shown_to(const std::string& host) const {
  const auto set = implementation_->certificates.get();
  const auto client_context = tls::make_context(TLS_client_method(), TlsVersion::tls_1_2);
  const tls::SslPtr server(SSL_new(set->contexts.front().get()));
  const tls::SslPtr client(SSL_new(client_context.get()));
  SSL_set_tlsext_host_name(client.get(), host.c_str());
  tls::join(client.get(), server.get());
  constexpr int flights_max = 100;  // a long chain takes several
  for (int flight = 0; flight < flights_max; ++flight) {
    for (SSL* const end : {client.get(), server.get()}) {
      ERR_clear_error();
      const int result = SSL_do_handshake(end);
      if (result == 1 && end == client.get()) return tls::peer_certificates(end);
      if (result != 1 && SSL_get_error(end, result) == SSL_ERROR_SSL)
        return fail(Code::not_found, fmt::format("{}: {}", host, tls::last_error()));
    }
  }
  return fail(Code::internal, host + ": the handshake does not end");
}

namespace tls {

Prepared prepare_server(TlsServer& server, int descriptor) {
  auto* const web = dynamic_cast<WebTls*>(&server);
  auto& context = web ? web->certificates() : static_cast<ServerContext&>(server);
  const auto set = context.implementation().certificates.get();
  SslPtr ssl(SSL_new(set->contexts.front().get()));
  SSL_set_app_data(ssl.get(), web);  // answer_protocols() looks
  SSL_set_fd(ssl.get(), descriptor);
  SSL_set_accept_state(ssl.get());
  return {std::move(ssl), set};
}

}  // namespace tls

}  // namespace tapal
