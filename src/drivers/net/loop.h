// The event loop on Asio: one thread, its timers, and connections out of it. LoopPool: several of
// them, each on a named thread. Listening is listener.h's work, TLS contexts are tls.h's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"
#include "ports/stream.h"

namespace tapal {

// Only post(), stop(), name() and on_this_thread() may be called from other threads while run()
// runs; before run() everything may be called from the thread that made the loop.
// Making one sets SIGPIPE to be ignored for the whole process: OpenSSL writes without MSG_NOSIGNAL.
class NetLoop final : public Loop, public Network {
 public:
  explicit NetLoop(std::string name = "loop");
  ~NetLoop() override;  // run() must have returned; work still posted is dropped
  NetLoop(const NetLoop&) = delete;
  NetLoop& operator=(const NetLoop&) = delete;

  // Serves until stop() was called and nothing is pending: no posted work, no timer waited on,
  // no read, write or accept under way. So whoever stops a loop first closes what lives on it.
  void run();
  void stop();
  bool on_this_thread() const;
  const std::string& name() const;

  void post(std::move_only_function<void()> work) override;
  Instant now() const override;
  std::unique_ptr<Timer> make_timer() override;

  // Errors name the endpoint and the cause: timed_out at the deadline, closed when refused or
  // unreachable, denied when the system forbids it or `from` is not an address of this machine,
  // full when out of descriptors or local ports.
  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                std::optional<IpAddress> from,
                                                Instant deadline) override;
  Task<Result<std::unique_ptr<Stream>>> connect_unix(std::string path, Instant deadline) override;
  // Takes over a connected stream socket, also when it fails (full: the kernel cannot watch it).
  Result<std::unique_ptr<Stream>> adopt(int connected_socket);

  struct Implementation;
  Implementation& implementation() { return *implementation_; }

 private:
  std::unique_ptr<Implementation> implementation_;
};

// Loops on threads of their own, named "prefix-0", "prefix-1", ...
class LoopPool {
 public:
  LoopPool(std::size_t loops, std::string_view prefix);
  ~LoopPool();  // stops and joins

  void start();
  void stop();  // any thread; see NetLoop::stop
  void join();
  std::size_t size() const { return loops_.size(); }
  NetLoop& loop(std::size_t index) { return *loops_.at(index); }

 private:
  std::vector<std::unique_ptr<NetLoop>> loops_;
  std::vector<std::jthread> threads_;
};

}  // namespace tapal
