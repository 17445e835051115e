// Sockets that wait for connections, and who gets them. Binding (ListenSocket) and accepting
// (Listener) are apart, so that a privileged start can bind before it gives up its privileges.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "drivers/net/loop.h"
#include "ports/stream.h"

namespace tapal {

inline constexpr int listen_backlog =
    1024;  // connections; the kernel caps it at net.core.somaxconn

// A bound, listening socket; owns its descriptor. A unix socket's file is removed with it.
class ListenSocket {
 public:
  // Port 0: the kernel picks one, local() tells which. An IPv6 address means IPv6 alone. Errors
  // name the address and the cause: denied (a port under 1024 needs CAP_NET_BIND_SERVICE),
  // try_later (in use; names the process that has it when /proc tells), invalid (no address of
  // this machine).
  static Result<ListenSocket> tcp(Endpoint at);
  // A stale socket file is replaced; one that somebody answers on (try_later), or a file of another
  // kind (invalid), is not. `mode`: 0600 and so on.
  static Result<ListenSocket> unix_domain(std::string path, unsigned mode);
  // A listening stream socket from outside (systemd's socket activation), taken over on success.
  static Result<ListenSocket> adopt(int descriptor);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;
  ~ListenSocket();

  Endpoint local() const { return local_; }  // empty for a unix socket
  std::string text() const;                  // "127.0.0.1:25" or the unix socket's path
  int descriptor() const { return descriptor_; }

 private:
  ListenSocket(int descriptor, Endpoint local, std::string path);
  int descriptor_ = -1;
  Endpoint local_;
  std::string path_;
};

// One on each, or the first Error. And where they came to be.
Result<std::vector<ListenSocket>> listen_at(const std::vector<Endpoint>& endpoints);
std::vector<Endpoint> local_endpoints(const std::vector<ListenSocket>& sockets);

// One who takes connections: called on its loop's thread, one call a connection.
struct AcceptTarget {
  NetLoop* loop = nullptr;
  std::move_only_function<void(std::unique_ptr<Stream>)> on_connection;
};

struct ListenerOptions {
  // Told when accepting fails, at most once a second: out of descriptors (the connection was then
  // dropped, or left waiting in the backlog) or memory. On the accepting loop's thread.
  std::move_only_function<void(const Error&)> on_trouble;
};

// Accepts on one loop and hands connections to its targets in turn. Not SO_REUSEPORT with a
// listener per loop: that spreads by a hash of addresses, so that few busy clients may all land on
// one loop, and what waits in a closing listener's backlog is lost.
class Listener {
 public:
  Listener(NetLoop& loop,
           ListenSocket socket,
           std::vector<AcceptTarget> targets,
           ListenerOptions options = {});
  ~Listener();  // closes
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // On the accepting loop's thread, or when it does not run. What is posted to a target's loop
  // after this runs behind that target's last on_connection.
  void close();
  Endpoint local() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tapal
