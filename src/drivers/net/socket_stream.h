// Inside drivers/net only: a Stream over a connected socket, in clear or with OpenSSL driven on its
// descriptor.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "drivers/net/loop_implementation.h"
#include "drivers/net/tls_context.h"
#include "ports/stream.h"

namespace tapal {

class SocketStream final : public Stream {
 public:
  // Takes the descriptor over, also when it fails (full: the kernel cannot watch another one); it
  // must be non-blocking.
  static Result<std::unique_ptr<SocketStream>> make(NetLoop::Implementation& loop, int descriptor);
  ~SocketStream() override;

  Task<Result<void>> readable(Instant deadline) override;
  Task<Result<std::size_t>> read(std::span<char> into, Instant deadline) override;
  Task<Result<void>> write(std::string_view bytes, Instant deadline) override;
  Task<Result<TlsState>> accept_tls(TlsServer& server, Instant deadline) override;
  Task<Result<TlsState>> connect_tls(TlsClient& client,
                                     TlsConnectOptions options,
                                     Instant deadline) override;
  bool is_tls() const override { return ssl_ != nullptr; }
  Result<std::string> channel_binding(ChannelBinding type) const override;
  std::string peer_certificates() const;
  Endpoint local() const override { return local_; }
  Endpoint remote() const override { return remote_; }
  void close() override;

  // Waits for readiness; timed_out at the deadline, closed when close() was called.
  Task<Result<void>> wait(Readiness what, Instant deadline);
  void look_up_endpoints();  // again, once connected

 private:
  // Outlives the stream while a wait that its death ended is on its way back.
  struct Socket {
    explicit Socket(NetLoop::Implementation& loop);
    static void arm(const std::shared_ptr<Socket>& socket, Instant deadline);

    Descriptor descriptor;
    AsioTimer timer;
    Instant armed_for = never;  // when the timer will fire
    bool timer_runs = false;
    bool closed = false;
    Instant deadlines[2] = {never, never};  // of the reader and the writer
  };
  explicit SocketStream(std::shared_ptr<Socket> socket);
  Task<Result<void>> wait_for_tls(int result, Instant deadline);
  Task<Result<void>> handshake(Instant deadline);
  TlsState tls_state() const;

  std::shared_ptr<Socket> socket_;
  Endpoint local_;
  Endpoint remote_;
  tls::SslPtr ssl_;
  std::shared_ptr<const void> tls_keeper_;  // what the SSL's callbacks refer to
  std::string session_key_;
};

}  // namespace tapal
