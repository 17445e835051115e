#include "drivers/net/listener.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/net/loop_implementation.h"

namespace tapal {
namespace {

constexpr std::chrono::milliseconds pause_after_trouble{100};
constexpr std::chrono::seconds trouble_told_every{1};

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

struct Listener::State : std::enable_shared_from_this<Listener::State> {
  State(NetLoop& on, ListenSocket listening, std::vector<AcceptTarget> to, ListenerOptions how)
      : socket(std::move(listening)),
        targets(std::move(to)),
        options(std::move(how)),
        descriptor(on.implementation().io.get_executor(), ::dup(socket.descriptor())),
        pause(on.implementation().io.get_executor()) {}
  ~State() { ::close(reserve); }

  void wait() {
    descriptor.async_wait(Descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (!error && !self->closed) self->accept_all();
                          });
  }
  void accept_all() {
    while (!closed) {
      const int accepted =
          ::accept4(descriptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted >= 0) {
        hand_over(accepted);
      } else if (errno == EAGAIN) {
        return wait();
      } else if (errno != ECONNABORTED && errno != EINTR) {
        return pause_for(errno);
      }
    }
  }
  void hand_over(int accepted) {
    auto& target = targets[turn++ % targets.size()];
    // The listener's state outlives what is posted: a target is called also while it closes.
    target.loop->post([self = shared_from_this(), &target, accepted] {
      if (auto stream = target.loop->adopt(accepted)) target.on_connection(*std::move(stream));
    });
  }
  // Out of descriptors: the reserve is given up to take one connection off the queue and drop it,
  // so that its client hears of it; then a pause, or the loop would spin.
  void pause_for(int number) {
    if (number == EMFILE || number == ENFILE) {
      ::close(reserve);
      const int dropped = ::accept4(descriptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
      if (dropped >= 0) ::close(dropped);
      reserve = open_reserve();
    }
    tell(number);
    pause.expires_after(pause_after_trouble);
    pause.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && !self->closed) self->accept_all();
    });
  }
  void tell(int number) {
    const auto now = std::chrono::steady_clock::now();
    if (!options.on_trouble || now - told < trouble_told_every) return;
    told = now;
    options.on_trouble(
        {Code::full,
         socket.text() + ": " + std::strerror(number)});  // NOLINT(concurrency-mt-unsafe)
  }
  void close() {
    closed = true;
    boost::system::error_code ignored;
    descriptor.close(ignored);
    pause.cancel();
  }

  ListenSocket socket;
  std::vector<AcceptTarget> targets;
  ListenerOptions options;
  Descriptor descriptor;
  AsioTimer pause;
  int reserve = open_reserve();
  std::size_t turn = 0;
  Instant told;
  bool closed = false;
};

Listener::Listener(NetLoop& loop,
                   ListenSocket socket,
                   std::vector<AcceptTarget> targets,
                   ListenerOptions options)
    : state_(std::make_shared<State>(
          loop, std::move(socket), std::move(targets), std::move(options))) {
  state_->wait();
}

Listener::~Listener() { close(); }

void Listener::close() {
  if (!state_->closed) state_->close();
}
Endpoint Listener::local() const { return state_->socket.local(); }

}  // namespace tapal
