#include "drivers/net/udp_server.h"

#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/net/loop_implementation.h"
#include "drivers/net/socket_address.h"

namespace tapal {
namespace {

constexpr std::size_t datagram_bytes_max = 65'535;

}  // namespace

struct UdpServer::State : std::enable_shared_from_this<UdpServer::State> {
  State(NetLoop& loop, int number, Handler answering)
      : descriptor(loop.implementation().io.get_executor(), number),
        handler(std::move(answering)),
        local(local_endpoint(number)) {}

  void wait() {
    descriptor.async_wait(Descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (!error && !self->closed) self->answer_all();
                          });
  }
  void answer_all() {
    while (!closed) {  // the handler may close
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const auto count = ::recvfrom(descriptor.native_handle(),
                                    buffer.data(),
                                    buffer.size(),
                                    MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from),
                                    &size);
      if (count < 0) return wait();
      const auto answer =
          handler({buffer.data(), static_cast<std::size_t>(count)}, endpoint_of(from));
      if (answer)
        ::sendto(descriptor.native_handle(),
                 answer->data(),
                 answer->size(),
                 MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&from),
                 size);
    }
  }
  void close() {
    closed = true;
    boost::system::error_code ignored;
    static_cast<void>(descriptor.close(ignored));
  }

  Descriptor descriptor;
  Handler handler;
  Endpoint local;
  std::array<char, datagram_bytes_max> buffer{};
  bool closed = false;
};

UdpServer::UdpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
UdpServer::~UdpServer() { close(); }

Result<std::unique_ptr<UdpServer>> UdpServer::bind(NetLoop& loop, Endpoint at, Handler handler) {
  const int family = at.address.is_v4() ? AF_INET : AF_INET6;
  const int number = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const SocketAddress address(at);
  if (number < 0 || ::bind(number, address.get(), address.size) != 0) {
    auto error = listen_error(at.text() + " (UDP)", errno);
    if (number >= 0) ::close(number);
    return std::unexpected(std::move(error));
  }
  auto state = std::make_shared<State>(loop, number, std::move(handler));
  state->wait();
  return std::unique_ptr<UdpServer>(new UdpServer(std::move(state)));
}

Endpoint UdpServer::local() const { return state_->local; }
void UdpServer::close() {
  if (!state_->closed) state_->close();
}

}  // namespace tapal
