#include <cstdlib>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <openssl/err.h>
#include <unistd.h>

#include "drivers/net/tls_context.h"

namespace tapal {

namespace {

// Sessions for resumption, the longest unused go first.
class SessionCache {
 public:
  explicit SessionCache(std::size_t sessions_max) : sessions_max_(sessions_max) {}

  void put(const std::string& key, tls::SessionPtr session) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end())
      sessions_.erase(found->second);
    sessions_.emplace_front(key, std::move(session));
    by_key_[key] = sessions_.begin();
    if (sessions_.size() <= sessions_max_) return;
    by_key_.erase(sessions_.back().first);
    sessions_.pop_back();
  }
  // The SSL gets a copy: handshakes write to their session, and may run on several threads.
  void resume(SSL* ssl, const std::string& key) {
    const std::scoped_lock lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    sessions_.splice(sessions_.begin(), sessions_, found->second);
    const tls::SessionPtr copy(SSL_SESSION_dup(found->second->second.get()));
    SSL_set_session(ssl, copy.get());
  }

 private:
  using Entry = std::pair<std::string, tls::SessionPtr>;
  std::size_t sessions_max_;
  std::mutex mutex_;
  std::list<Entry> sessions_;
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* cache = static_cast<SessionCache*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto* key = static_cast<const std::string*>(SSL_get_app_data(ssl));
  if (key == nullptr || key->empty() || SSL_SESSION_is_resumable(session) != 1) return 0;
  cache->put(*key, tls::SessionPtr(session));
  return 1;  // the reference is ours now
}

// Debian's bundle of all roots is read once. In the hashed folder beside it OpenSSL would look for
// the issuer at every handshake. SSL_CERT_FILE and SSL_CERT_DIR count as always.
bool trust_system(SSL_CTX* context) {
  constexpr const char* bundle = "/etc/ssl/certs/ca-certificates.crt";
  // NOLINTNEXTLINE(concurrency-mt-unsafe): at start-up
  const bool is_told =
      std::getenv("SSL_CERT_FILE") != nullptr || std::getenv("SSL_CERT_DIR") != nullptr;
  if (!is_told && ::access(bundle, R_OK) == 0)
    return SSL_CTX_load_verify_file(context, bundle) == 1;
  return SSL_CTX_set_default_verify_paths(context) == 1;
}

}  // namespace

struct ClientContext::Implementation {
  SessionCache sessions;  // outlives the context, whose callback uses it
  tls::ContextPtr context;
};

ClientContext::ClientContext(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
ClientContext::~ClientContext() = default;

Result<std::unique_ptr<ClientContext>> ClientContext::make(const ClientTlsOptions& options) {
  auto context = tls::make_context(TLS_client_method(), options.least_version);
  ERR_clear_error();
  const bool loaded =
      options.trusted_ca_file.empty()
          ? trust_system(context.get())
          : SSL_CTX_load_verify_file(context.get(), options.trusted_ca_file.c_str()) == 1;
  if (!loaded)
    return fail(
        Code::invalid,
        "the trusted certificates cannot be read from " +
            (options.trusted_ca_file.empty() ? "the system's place" : options.trusted_ca_file) +
            ": " + tls::last_error());
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), &keep_session);
  auto implementation = std::unique_ptr<Implementation>(
      new Implementation{SessionCache(options.sessions_max), std::move(context)});
  SSL_CTX_set_app_data(implementation->context.get(), &implementation->sessions);
  return std::unique_ptr<ClientContext>(new ClientContext(std::move(implementation)));
}

namespace tls {

Prepared prepare_client(TlsClient& client,
                        int descriptor,
                        const TlsConnectOptions& options,
                        const std::string& session_key) {
  auto& implementation = static_cast<ClientContext&>(client).implementation();
  SslPtr ssl(SSL_new(implementation.context.get()));
  SSL_set_fd(ssl.get(), descriptor);
  SSL_set_connect_state(ssl.get());
  if (IpAddress::from_text(options.server_name)) {  // no name to ask for; RFC 6066 section 3
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), options.server_name.c_str());
  } else if (!options.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl.get(), options.server_name.c_str());
    SSL_set1_host(ssl.get(), options.server_name.c_str());
  }
  // Without a callback SSL_VERIFY_NONE still verifies and reports; the handshake just goes on.
  SSL_set_verify(
      ssl.get(), options.verification_required ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_set_app_data(ssl.get(),
                   const_cast<std::string*>(
                       &session_key));  // NOLINT(cppcoreguidelines-pro-type-const-cast): only read
  if (!session_key.empty()) implementation.sessions.resume(ssl.get(), session_key);
  return {std::move(ssl), nullptr};
}

}  // namespace tls

}  // namespace tapal
