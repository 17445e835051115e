#include "drivers/net/listener.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/net/loop_implementation.h"
#include "drivers/net/owned_descriptor.h"

namespace tapal {
namespace {

constexpr std::chrono::milliseconds pause_after_trouble{100};
constexpr std::chrono::seconds trouble_told_every{1};
constexpr int accepts_at_once_max = 64;  // then it is the turn of the sessions on this loop

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

struct Listener::State : std::enable_shared_from_this<Listener::State> {
  State(NetLoop& on, ListenSocket listening, std::vector<AcceptTarget> to, ListenerOptions how)
      : socket(std::move(listening)),
        local(socket->local()),
        name(socket->text()),
        options(std::move(how)),
        descriptor(on.implementation().io.get_executor(), socket->descriptor()),
        pause(on.implementation().io.get_executor()) {
    for (auto& target : to) targets.push_back(std::make_shared<AcceptTarget>(std::move(target)));
  }
  ~State() {
    close();
    ::close(reserve);
  }

  void wait() {
    descriptor.async_wait(Descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (!error && !self->closed) self->accept_all();
                          });
  }
  void accept_all() {
    for (int accepted_now = 0; !closed; ++accepted_now) {
      if (accepted_now == accepts_at_once_max) return wait();
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
    const auto& target = targets[turn++ % targets.size()];
    // Holds the target alone, which a closed listener does not take along: what is posted may run,
    // or be dropped, after the accepting loop is gone.
    target->loop->post([target, owned = OwnedDescriptor(accepted)]() mutable {
      if (auto stream = target->loop->adopt(owned.take()))
        target->on_connection(*std::move(stream));
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
        {Code::full, name + ": " + std::strerror(number)});  // NOLINT(concurrency-mt-unsafe)
  }
  void close() {
    if (std::exchange(closed, true)) return;
    descriptor.release();  // `socket` closes it
    socket.reset();
    pause.cancel();
  }

  std::optional<ListenSocket> socket;  // until closed
  Endpoint local;
  std::string name;
  std::vector<std::shared_ptr<AcceptTarget>> targets;
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

void Listener::close() { state_->close(); }
Endpoint Listener::local() const { return state_->local; }

}  // namespace tapal
