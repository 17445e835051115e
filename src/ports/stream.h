// A connection's bytes, in clear or under TLS, and what TLS came to. A stream belongs to one loop;
// it has at most one reader and one writer at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "base/time.h"

namespace tapal {

// What the handshake came to.
struct TlsState {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string server_name;  // SNI sent or received; may be empty
  std::string protocol;     // agreed on by ALPN (RFC 7301); empty: none
  bool resumed = false;
  bool verified = false;     // the peer's chain and name hold (client side only)
  std::string verify_error;  // why not
};

// SCRAM-*-PLUS binds to one of these (RFC 9266, RFC 5929).
enum class ChannelBinding : std::uint8_t { tls_exporter, tls_server_end_point };

// What a listener serves: certificates chosen by SNI, versions, tickets. Made by the net driver;
// may be reloaded while streams use it.
struct TlsServer {
  virtual ~TlsServer() = default;
  virtual bool is_ready() const { return true; }  // false until it has a certificate to show
};

// How we talk TLS to others: trusted roots, least version, session cache. Made by the net driver.
struct TlsClient {
  virtual ~TlsClient() = default;
};

struct TlsConnectOptions {
  std::string server_name;             // SNI and the name to verify; empty: none
  std::string session_key;             // resume sessions kept under this key; empty: never
  bool verification_required = false;  // fail the handshake unless the chain and name hold
};

struct Stream {
  virtual ~Stream() = default;

  // Comes back when read() has something to give, an error too; may come back early. Waiting here
  // and not in read() needs no buffer: an idle connection costs none.
  virtual Task<Result<void>> readable(Instant /*deadline*/) { co_return Result<void>(); }
  // At least one byte, or an Error: closed at the end of the stream (also under TLS), timed_out at
  // the deadline. After an error only close() is useful.
  virtual Task<Result<std::size_t>> read(std::span<char> into, Instant deadline) = 0;
  // All of `bytes`, which must outlive the task.
  virtual Task<Result<void>> write(std::string_view bytes, Instant deadline) = 0;

  // Hand over to TLS from here on. Bytes that came in clear after the command that asked for
  // TLS must have been read and refused by the caller before.
  virtual Task<Result<TlsState>> accept_tls(TlsServer& server, Instant deadline) = 0;
  virtual Task<Result<TlsState>> connect_tls(TlsClient& client,
                                             TlsConnectOptions options,
                                             Instant deadline) = 0;
  virtual bool is_tls() const = 0;
  virtual Result<std::string> channel_binding(ChannelBinding type) const = 0;

  virtual Endpoint local() const = 0;
  virtual Endpoint remote() const = 0;

  // Ends a pending read or write with Code::closed, sends close_notify if it can at once, and
  // closes the socket. May be called any number of times.
  virtual void close() = 0;
};

// Outgoing connections of one loop.
struct Network {
  virtual ~Network() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                        std::optional<IpAddress> from,
                                                        Instant deadline) = 0;
  // A unix domain socket of this machine; its local() and remote() are empty endpoints.
  virtual Task<Result<std::unique_ptr<Stream>>> connect_unix(std::string path,
                                                             Instant /*deadline*/) {
    co_return fail(Code::denied, path + ": unix sockets cannot be reached from here");
  }
};

}  // namespace tapal
