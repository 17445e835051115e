#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "base/snapshot.h"
#include "drivers/net/tls_context.h"
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

Error certificate_error(const ServedCertificate& certificate, std::string_view what) {
  return {Code::invalid, certificate.origin + ": " + std::string(what)};
}

Result<void> use_chain(SSL_CTX* context, const ServedCertificate& certificate) {
  const tls::BioPtr bio(BIO_new_mem_buf(certificate.chain_pem.data(),
                                        static_cast<int>(certificate.chain_pem.size())));
  const tls::CertificatePtr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!leaf)
    return std::unexpected(certificate_error(certificate, "holds no certificate in PEM form"));
  if (X509_cmp_current_time(X509_get0_notAfter(leaf.get())) < 0)
    return std::unexpected(certificate_error(certificate, "the certificate has expired; renew it"));
  if (X509_cmp_current_time(X509_get0_notBefore(leaf.get())) > 0)
    return std::unexpected(
        certificate_error(certificate, "the certificate is not valid yet; is the clock right?"));
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return std::unexpected(certificate_error(certificate, "cannot be used: " + tls::last_error()));
  while (tls::CertificatePtr issuer{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1)
      return std::unexpected(
          certificate_error(certificate, "a certificate of the chain cannot be used"));
  ERR_clear_error();  // the end of the file
  return {};
}

Result<void> use_key(SSL_CTX* context, const ServedCertificate& certificate) {
  const tls::BioPtr bio(
      BIO_new_mem_buf(certificate.key_pem.data(), static_cast<int>(certificate.key_pem.size())));
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const tls::KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key)
    return std::unexpected(
        certificate_error(certificate, "its private key cannot be read as unencrypted PEM"));
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return std::unexpected(
        certificate_error(certificate, "the private key does not belong to this certificate"));
  return {};
}

Result<tls::ContextPtr> make_server_context(const ServedCertificate& certificate,
                                            const ServerTlsOptions& options) {
  auto context = tls::make_context(TLS_server_method(), options.least_version);
  TAPAL_CHECK(use_chain(context.get(), certificate));
  TAPAL_CHECK(use_key(context.get(), certificate));
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
  if (certificates.empty()) return fail(Code::invalid, "no certificate to serve");
  auto set = std::make_shared<CertificateSet>();
  crypto::Sha256 all;
  for (const auto& certificate : certificates) {
    TAPAL_TRY(auto context, make_server_context(certificate, options));
    auto names = certificate.names;
    if (names.empty())
      if (const auto facts = crypto::read_certificate(certificate.chain_pem)) names = facts->names;
    for (const auto& name : names) set->by_name.emplace(text::to_lower(name), context.get());
    set->contexts.push_back(std::move(context));
    all.update(certificate.chain_pem);
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
  TAPAL_TRY(auto set, make_set(certificates, options));
  auto implementation = std::unique_ptr<Implementation>(
      new Implementation{std::move(options), Snapshot<CertificateSet>(std::move(set))});
  return std::unique_ptr<ServerContext>(new ServerContext(std::move(implementation)));
}

Result<void> ServerContext::replace(const std::vector<ServedCertificate>& certificates) {
  TAPAL_TRY(auto set, make_set(certificates, implementation_->options));
  implementation_->certificates.set(std::move(set));
  return {};
}

namespace tls {

Prepared prepare_server(TlsServer& server, int descriptor) {
  const auto set = static_cast<ServerContext&>(server).implementation().certificates.get();
  SslPtr ssl(SSL_new(set->contexts.front().get()));
  SSL_set_fd(ssl.get(), descriptor);
  SSL_set_accept_state(ssl.get());
  return {std::move(ssl), set};
}

}  // namespace tls

}  // namespace tapal
