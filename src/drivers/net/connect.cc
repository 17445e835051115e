#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "drivers/net/loop.h"
#include "drivers/net/loop_implementation.h"
#include "drivers/net/socket_address.h"
#include "drivers/net/socket_stream.h"

namespace tapal {
namespace {

Error connect_error(std::string_view where, int number) {
  const auto what =
      fmt::format("{}: {}", where, std::strerror(number));  // NOLINT(concurrency-mt-unsafe)
  switch (number) {
    case EACCES:
    case EPERM: return {Code::denied, what};
    case EADDRNOTAVAIL:  // no local port is left
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case EAGAIN: return {Code::full, what};
    case ETIMEDOUT: return {Code::timed_out, what};
    default: return {Code::closed, what};
  }
}

void no_delay(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

using Connected = Result<std::unique_ptr<Stream>>;

Task<Connected> finish(std::unique_ptr<SocketStream> stream,
                       int descriptor,
                       std::string where,
                       Instant deadline) {
  auto waited = co_await stream->wait(Readiness::writable, deadline);
  if (!waited) {
    auto error = std::move(waited).error();
    error.what =
        where + ": " + (error.code == Code::timed_out ? "no connection in time" : error.what);
    co_return std::unexpected(std::move(error));
  }
  int number = 0;
  socklen_t size = sizeof number;
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size);
  if (number != 0) co_return std::unexpected(connect_error(where, number));
  co_return std::move(stream);
}

}  // namespace

Task<Connected> NetLoop::connect(Endpoint to, std::optional<IpAddress> from, Instant deadline) {
  const int family = to.address.is_v4() ? AF_INET : AF_INET6;
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) co_return std::unexpected(connect_error(to.text(), errno));
  no_delay(descriptor);
  TAPAL_CO_TRY(auto stream, SocketStream::make(*implementation_, descriptor));
  if (from) {
    // The port is picked when the destination is known, so that each destination has them all.
    const int on = 1;
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const SocketAddress source(Endpoint{*from, 0});
    if (::bind(descriptor, source.get(), source.size) != 0) {
      const int number = errno;
      auto error = connect_error(fmt::format("{} from {}", to.text(), from->text()), number);
      if (number == EADDRNOTAVAIL) error.code = Code::denied;  // not an address of ours
      co_return std::unexpected(std::move(error));
    }
  }
  const SocketAddress target(to);
  if (::connect(descriptor, target.get(), target.size) != 0 && errno != EINPROGRESS)
    co_return std::unexpected(connect_error(to.text(), errno));
  auto connected = co_await finish(std::move(stream), descriptor, to.text(), deadline);
  if (connected) static_cast<SocketStream&>(**connected).look_up_endpoints();
  co_return connected;
}

Task<Connected> NetLoop::connect_unix(std::string path, Instant deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    co_return fail(Code::denied, path + ": the path is too long for a socket");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) co_return std::unexpected(connect_error(path, errno));
  TAPAL_CO_TRY(auto stream, SocketStream::make(*implementation_, descriptor));
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS)
    co_return std::unexpected(connect_error(path, errno));
  co_return co_await finish(std::move(stream), descriptor, path, deadline);
}

Connected NetLoop::adopt(int connected_socket) {
  int on = 1;
  ::ioctl(connected_socket, FIONBIO, &on);
  no_delay(connected_socket);
  return SocketStream::make(*implementation_, connected_socket);
}

}  // namespace tapal
