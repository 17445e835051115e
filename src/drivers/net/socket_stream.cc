#include "drivers/net/socket_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/error.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/net/socket_address.h"

namespace tapal {
namespace {

Error closed_error(int number) {
  return {Code::closed,
          number == 0 ? "the connection is closed"
                      : std::strerror(number)};  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace

SocketStream::Socket::Socket(NetLoop::Implementation& loop)
    : descriptor(loop.io.get_executor()), timer(loop.io.get_executor()) {}

// One timer serves all waits of a stream: it is moved only when a deadline comes before it fires.
// A wait that was over sooner leaves it running; it then looks for the next deadline itself.
void SocketStream::Socket::arm(const std::shared_ptr<Socket>& socket, Instant deadline) {
  if (deadline == never || (socket->timer_runs && socket->armed_for <= deadline)) return;
  socket->armed_for = deadline;
  socket->timer_runs = true;
  socket->timer.expires_at(deadline);
  socket->timer.async_wait([weak = std::weak_ptr(socket)](boost::system::error_code error) {
    const auto alive = weak.lock();
    if (error || !alive || alive->closed) return;  // moved, or over
    alive->timer_runs = false;
    const auto next = std::min(alive->deadlines[0], alive->deadlines[1]);
    if (next > std::chrono::steady_clock::now()) return arm(alive, next);
    boost::system::error_code ignored;
    static_cast<void>(
        alive->descriptor.cancel(ignored));  // whose deadline has not come waits, and arms, again
  });
}

SocketStream::SocketStream(std::shared_ptr<Socket> socket) : socket_(std::move(socket)) {
  look_up_endpoints();
}

Result<std::unique_ptr<SocketStream>> SocketStream::make(NetLoop::Implementation& loop,
                                                         int descriptor) {
  auto socket = std::make_shared<Socket>(loop);
  boost::system::error_code error;
  static_cast<void>(socket->descriptor.assign(descriptor, error));
  if (error) {
    ::close(descriptor);
    return fail(Code::full, "the connection cannot be watched: " + error.message());
  }
  return std::unique_ptr<SocketStream>(new SocketStream(std::move(socket)));
}

void SocketStream::look_up_endpoints() {
  local_ = local_endpoint(socket_->descriptor.native_handle());
  remote_ = remote_endpoint(socket_->descriptor.native_handle());
}

SocketStream::~SocketStream() { close(); }

Task<Result<void>> SocketStream::wait(Readiness what, Instant deadline) {
  const auto socket = socket_;
  auto& own = socket->deadlines[static_cast<std::size_t>(what)];
  for (;;) {
    if (socket->closed) co_return std::unexpected(closed_error(0));
    own = deadline;
    Socket::arm(socket, deadline);
    auto ready = until_ready(socket->descriptor, what);
    const auto error = co_await ready;
    own = never;
    if (!error) co_return Result<void>();
    if (socket->closed) co_return std::unexpected(closed_error(0));
    if (std::chrono::steady_clock::now() >= deadline)
      co_return fail(Code::timed_out, "the peer did not answer in time");
    // Otherwise it was cancelled for the other direction's deadline.
    if (error != boost::asio::error::operation_aborted)
      co_return std::unexpected(closed_error(error.value()));
  }
}

Task<Result<void>> SocketStream::readable(Instant deadline) {
  const bool at_hand = ssl_ != nullptr && SSL_has_pending(ssl_.get()) == 1;
  return at_hand ? Stream::readable(deadline) : wait(Readiness::readable, deadline);
}

Task<Result<std::size_t>> SocketStream::read(std::span<char> into, Instant deadline) {
  for (;;) {
    if (socket_->closed) co_return std::unexpected(closed_error(0));
    if (ssl_ != nullptr) {
      ERR_clear_error();
      std::size_t count = 0;
      const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
      if (result > 0) co_return count;
      TAPAL_CO_CHECK(co_await wait_for_tls(result, deadline));
      continue;
    }
    const auto count =
        ::recv(socket_->descriptor.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) co_return static_cast<std::size_t>(count);
    if (count == 0) co_return std::unexpected(closed_error(0));
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return std::unexpected(closed_error(errno));
    TAPAL_CO_CHECK(co_await wait(Readiness::readable, deadline));
  }
}

Task<Result<void>> SocketStream::write(std::string_view bytes, Instant deadline) {
  while (!bytes.empty()) {
    if (socket_->closed) co_return std::unexpected(closed_error(0));
    if (ssl_ != nullptr) {
      ERR_clear_error();
      std::size_t count = 0;
      const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
      if (result > 0) {
        bytes.remove_prefix(count);
      } else {
        TAPAL_CO_CHECK(co_await wait_for_tls(result, deadline));
      }
      continue;
    }
    const auto count = ::send(socket_->descriptor.native_handle(),
                              bytes.data(),
                              bytes.size(),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      TAPAL_CO_CHECK(co_await wait(Readiness::writable, deadline));
    } else if (errno != EINTR) {
      co_return std::unexpected(closed_error(errno));
    }
  }
  co_return Result<void>();
}

// What an SSL call asks for before it can go on, or why it cannot.
Task<Result<void>> SocketStream::wait_for_tls(int result, Instant deadline) {
  const int number = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: co_return co_await wait(Readiness::readable, deadline);
    case SSL_ERROR_WANT_WRITE: co_return co_await wait(Readiness::writable, deadline);
    case SSL_ERROR_ZERO_RETURN: co_return std::unexpected(closed_error(0));
    case SSL_ERROR_SYSCALL: co_return std::unexpected(closed_error(number));
    default: co_return fail(Code::closed, "TLS: " + tls::last_error());
  }
}

Task<Result<TlsState>> SocketStream::accept_tls(TlsServer& server, Instant deadline) {
  auto prepared = tls::prepare_server(server, socket_->descriptor.native_handle());
  ssl_ = std::move(prepared.ssl);
  tls_keeper_ = std::move(prepared.keeper);
  TAPAL_CO_CHECK(co_await handshake(deadline));
  co_return tls_state();
}

Task<Result<TlsState>> SocketStream::connect_tls(TlsClient& client,
                                                 TlsConnectOptions options,
                                                 Instant deadline) {
  // A session made without verification must not serve where it is required: a resumed handshake
  // shows no certificate.
  if (!options.session_key.empty())
    session_key_ = fmt::format("{} {} {}",
                               options.session_key,
                               options.server_name,
                               options.verification_required ? "verified" : "any");
  auto prepared =
      tls::prepare_client(client, socket_->descriptor.native_handle(), options, session_key_);
  ssl_ = std::move(prepared.ssl);
  tls_keeper_ = std::move(prepared.keeper);
  TAPAL_CO_CHECK(co_await handshake(deadline));
  co_return tls_state();
}

Task<Result<void>> SocketStream::handshake(Instant deadline) {
  for (;;) {
    if (socket_->closed) co_return std::unexpected(closed_error(0));
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) co_return Result<void>();
    const auto verify = SSL_get_verify_result(ssl_.get());
    auto waited = co_await wait_for_tls(result, deadline);
    if (waited) continue;
    auto error = std::move(waited).error();
    error.what = "TLS handshake: " + error.what;
    if (verify != X509_V_OK) {
      error.what += fmt::format(" ({})", X509_verify_cert_error_string(verify));
      if (SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) error.code = Code::denied;
    }
    co_return std::unexpected(std::move(error));
  }
}

TlsState SocketStream::tls_state() const {
  TlsState state;
  state.version = SSL_get_version(ssl_.get());
  state.cipher = SSL_get_cipher_name(ssl_.get());
  if (const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name))
    state.server_name = name;
  const unsigned char* protocol = nullptr;
  unsigned protocol_size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &protocol_size);
  state.protocol.assign(reinterpret_cast<const char*>(protocol), protocol_size);
  state.resumed = SSL_session_reused(ssl_.get()) == 1;
  const auto verify = SSL_get_verify_result(ssl_.get());
  const bool client = SSL_is_server(ssl_.get()) == 0;
  state.verified = client && verify == X509_V_OK;
  if (client && verify != X509_V_OK) state.verify_error = X509_verify_cert_error_string(verify);
  return state;
}

Result<std::string> SocketStream::channel_binding(ChannelBinding type) const {
  if (ssl_ == nullptr) return fail(Code::not_found, "no TLS, no channel binding");
  return type == ChannelBinding::tls_exporter ? tls::exporter_binding(ssl_.get())
                                              : tls::end_point_binding(ssl_.get());
}

std::string SocketStream::peer_certificates() const {
  if (ssl_ == nullptr) return {};
  return tls::peer_certificates(ssl_.get());
}

std::string peer_certificates(const Stream& stream) {
  const auto* socket = dynamic_cast<const SocketStream*>(&stream);
  return socket == nullptr ? std::string() : socket->peer_certificates();
}

void SocketStream::close() {
  if (std::exchange(socket_->closed, true)) return;
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_.get()) == 1) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // one close_notify; also keeps the session good for resumption
  }
  socket_->timer.cancel();
  boost::system::error_code ignored;
  static_cast<void>(socket_->descriptor.close(ignored));
}

}  // namespace tapal
