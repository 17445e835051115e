#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "drivers/net/listener.h"
#include "drivers/net/owned_descriptor.h"
#include "drivers/net/port_owner.h"
#include "drivers/net/socket_address.h"

namespace tapal {
namespace {

bool somebody_answers(const sockaddr_un& address) {
  const OwnedDescriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  return ::connect(probe.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
             0 ||
         errno == EAGAIN;  // alive, with a full backlog
}

bool is_no_socket(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode);
}

}  // namespace

ListenSocket::ListenSocket(int descriptor, Endpoint local, std::string path)
    : descriptor_(descriptor), local_(local), path_(std::move(path)) {}
ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      local_(other.local_),
      path_(std::exchange(other.path_, {})) {}
ListenSocket& ListenSocket::operator=(ListenSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(local_, other.local_);
  std::swap(path_, other.path_);
  return *this;
}
ListenSocket::~ListenSocket() {
  if (!path_.empty()) ::unlink(path_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string ListenSocket::text() const { return path_.empty() ? local_.text() : path_; }

Result<ListenSocket> ListenSocket::tcp(Endpoint at) {
  const int family = at.address.is_v4() ? AF_INET : AF_INET6;
  OwnedDescriptor made{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (made.number() < 0) return std::unexpected(listen_error(at.text(), errno));
  const int on = 1;
  setsockopt(made.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(made.number(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const SocketAddress address(at);
  if (::bind(made.number(), address.get(), address.size) != 0 ||
      ::listen(made.number(), listen_backlog) != 0) {
    const int number = errno;
    auto error = listen_error(at.text(), number);
    if (number == EACCES && at.port < IPPORT_RESERVED)
      error.what += " (ports below 1024 need root or the capability CAP_NET_BIND_SERVICE)";
    if (number == EADDRINUSE)
      if (const auto owner = port_owner(at.port); !owner.empty()) error.what += " by " + owner;
    return std::unexpected(std::move(error));
  }
  const auto local = local_endpoint(made.number());
  return ListenSocket(made.take(), local, {});
}

Result<ListenSocket> ListenSocket::unix_domain(std::string path, unsigned mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(Code::invalid,
                fmt::format("{}: longer than the {} bytes a socket's path may have",
                            path,
                            sizeof address.sun_path - 1));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  OwnedDescriptor made{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (made.number() < 0) return std::unexpected(listen_error(path, errno));
  if (is_no_socket(path))
    return fail(Code::invalid, "cannot listen on " + path + ": a file that is no socket is there");
  if (somebody_answers(address)) return std::unexpected(listen_error(path, EADDRINUSE));
  ::unlink(path.c_str());
  ::fchmod(made.number(), mode);  // bind() gives the file this mode: no moment with a wider one
  if (::bind(made.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), mode) != 0 || ::listen(made.number(), listen_backlog) != 0)
    return std::unexpected(listen_error(path, errno));
  return ListenSocket(made.take(), {}, std::move(path));
}

Result<ListenSocket> ListenSocket::adopt(int descriptor) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
    return fail(Code::invalid, fmt::format("descriptor {} is no listening socket", descriptor));
  int on = 1;
  ::ioctl(descriptor, FIONBIO, &on);
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return ListenSocket(descriptor, local_endpoint(descriptor), {});
}

Result<std::vector<ListenSocket>> listen_at(const std::vector<Endpoint>& endpoints) {
  std::vector<ListenSocket> sockets;
  for (const auto& endpoint : endpoints) {
    TAPAL_TRY(auto socket, ListenSocket::tcp(endpoint));
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

std::vector<Endpoint> local_endpoints(const std::vector<ListenSocket>& sockets) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(sockets.size());
  for (const auto& socket : sockets) endpoints.push_back(socket.local());
  return endpoints;
}

}  // namespace tapal
