#include "drivers/net/loop.h"

#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <pthread.h>

#include "drivers/net/loop_implementation.h"

namespace tapal {
namespace {

class NetTimer final : public Timer {
 public:
  explicit NetTimer(boost::asio::io_context& io) : timer_(io.get_executor()) {}

  Task<bool> wait_until(Instant when) override {
    Wait wait{timer_, when, false};
    co_return co_await wait;
  }
  void cancel() override { timer_.cancel(); }

 private:
  struct Wait {
    AsioTimer& timer;
    Instant when;
    bool expired = false;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      timer.expires_at(when);
      timer.async_wait([this, handle](boost::system::error_code error) {
        expired = !error;
        handle.resume();
      });
    }
    bool await_resume() const noexcept { return expired; }
  };
  AsioTimer timer_;
};

}  // namespace

NetLoop::NetLoop(std::string name) : implementation_(std::make_unique<Implementation>()) {
  implementation_->name = std::move(name);
  std::signal(SIGPIPE, SIG_IGN);
}
NetLoop::~NetLoop() = default;

void NetLoop::run() {
  implementation_->thread = std::this_thread::get_id();
  implementation_->io.run();
  implementation_->thread = std::thread::id();
}

void NetLoop::stop() {
  post([this] { implementation_->guard.reset(); });
}

bool NetLoop::on_this_thread() const {
  return implementation_->thread == std::this_thread::get_id();
}
const std::string& NetLoop::name() const { return implementation_->name; }

void NetLoop::post(std::move_only_function<void()> work) {
  boost::asio::post(implementation_->io, std::move(work));
}
Instant NetLoop::now() const { return std::chrono::steady_clock::now(); }
std::unique_ptr<Timer> NetLoop::make_timer() {
  return std::make_unique<NetTimer>(implementation_->io);
}

LoopPool::LoopPool(std::size_t loops, std::string_view prefix) {
  for (std::size_t i = 0; i < loops; ++i)
    loops_.push_back(std::make_unique<NetLoop>(fmt::format("{}-{}", prefix, i)));
}

LoopPool::~LoopPool() {
  stop();
  join();
}

void LoopPool::start() {
  for (auto& loop : loops_)
    threads_.emplace_back([&on = *loop] {
      pthread_setname_np(pthread_self(), on.name().substr(0, 15).c_str());
      on.run();
    });
}

void LoopPool::stop() {
  for (auto& loop : loops_) loop->stop();
}

void LoopPool::join() { threads_.clear(); }

}  // namespace tapal
