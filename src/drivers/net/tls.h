// What TLS listeners serve (ServerContext) and how we talk TLS to others (ClientContext), on
// OpenSSL. Both may be used by many loops at once and must outlive the streams that use them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ports/challenge_board.h"
#include "ports/stream.h"

namespace tapal {

enum class TlsVersion : std::uint8_t { tls_1_2, tls_1_3 };

// A certificate as it is served.
struct ServedCertificate {
  std::vector<std::string> names;  // host names, or "*.example.org"; lower case, ASCII form.
                                   // Empty: the names that the certificate itself holds
  std::string chain_pem;           // own certificate first, then its issuers
  std::string key_pem;
  std::string origin;  // for error texts: the file's path
};

// The keys that session tickets are sealed with: shared by all listeners, so that a session may be
// resumed on any; a new one each `lifetime`, the two before it are still opened.
class TicketKeys {
 public:
  explicit TicketKeys(Duration lifetime = std::chrono::hours(12));
  ~TicketKeys();
  void rotate();  // also happens by itself when due; safe from any thread

  struct Ring;
  Ring& ring() { return *ring_; }

 private:
  std::unique_ptr<Ring> ring_;
};

struct ServerTlsOptions {
  TlsVersion least_version = TlsVersion::tls_1_2;
  std::shared_ptr<TicketKeys> tickets;  // null: no tickets, sessions are not resumed
};

// Picks by the client's SNI: the exact name, then the wildcard one label up, then the first.
class ServerContext final : public TlsServer {
 public:
  // Errors (invalid) name the origin: unreadable PEM, a key that does not belong to the
  // certificate, an expired or not yet valid certificate, an empty list.
  static Result<std::unique_ptr<ServerContext>> make(
      const std::vector<ServedCertificate>& certificates, ServerTlsOptions options = {});
  // Not ready until it is given some: until then no handshake succeeds.
  static std::unique_ptr<ServerContext> without_certificate(ServerTlsOptions options = {});
  ~ServerContext() override;
  bool is_ready() const override;

  // Hot reload: handshakes that begin later use the new list; on an error nothing changes. Safe
  // from any thread.
  Result<void> replace(const std::vector<ServedCertificate>& certificates);

  // What a client that asks for `host` is shown now, as PEM, its own first: by a handshake with
  // ourselves, in memory. not_found: the handshake fails. Safe from any thread.
  Result<std::string> shown_to(const std::string& host) const;

  struct Implementation;
  Implementation& implementation() { return *implementation_; }

 private:
  explicit ServerContext(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// By which a certificate authority asks for a challenge's answer (RFC 8737 section 6.2).
inline constexpr std::string_view acme_tls_protocol = "acme-tls/1";

// The same certificates for web clients: of the protocols they offer (RFC 7301) http/1.1 is taken.
// One that offers acme-tls/1 alone gets the board's certificate for the name it asks for, also
// while there is no other. Both must outlive it.
class WebTls final : public TlsServer {
 public:
  WebTls(ServerContext& certificates, const ChallengeBoard& challenges)
      : certificates_(certificates), challenges_(challenges) {}
  bool is_ready() const override { return certificates_.is_ready(); }
  ServerContext& certificates() { return certificates_; }
  const ChallengeBoard& challenges() const { return challenges_; }

 private:
  ServerContext& certificates_;
  const ChallengeBoard& challenges_;
};

struct ClientTlsOptions {
  std::string trusted_ca_file;  // PEM; empty: the system's own
  TlsVersion least_version = TlsVersion::tls_1_2;
  std::size_t sessions_max =
      1000;  // kept for resumption, the longest unused go first; some KiB each
};

// Verification is always tried and its result reported in TlsState; it ends the handshake only
// where TlsConnectOptions ask for it. A session is resumed only for the same session_key,
// server_name and verification_required.
class ClientContext final : public TlsClient {
 public:
  static Result<std::unique_ptr<ClientContext>> make(const ClientTlsOptions& options = {});
  ~ClientContext() override;

  struct Implementation;
  Implementation& implementation() { return *implementation_; }

 private:
  explicit ClientContext(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// The certificates that the other side showed, its own first, as PEM; empty without TLS, and where
// a session was resumed. Only of streams that this driver made.
std::string peer_certificates(const Stream& stream);

}  // namespace tapal
