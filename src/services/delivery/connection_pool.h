// The open connections of one loop: those in use, and those that wait a moment for more work to the
// same destination.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "ports/loop.h"
#include "services/delivery/connection.h"

namespace tapal::delivery {

class ConnectionPool {
 public:
  struct Limits {
    std::chrono::seconds idle{10};
    std::size_t idle_connections_max = 250;  // the longest idle goes first
  };
  ConnectionPool(Loop& loop, Limits limits);
  ~ConnectionPool();

  // Whose connection it is: a slot of a site has one at most.
  struct Holder {
    std::string site;
    std::uint32_t slot = 0;
    std::string source;
    std::string peers;  // which set of hosts it leads to

    bool operator==(const Holder&) const = default;
  };
  struct Idle {
    Holder holder;
    Instant since;
    std::unique_ptr<Connection> connection;
  };
  // The slot's idle connection, whichever hosts it leads to.
  std::optional<Idle> take(const Holder& holder);
  // Back after use; it waits for at most Limits::idle, then says QUIT.
  void give(Holder holder, std::unique_ptr<Connection> connection);
  // Says QUIT and lets it go; after stop() it is closed without a word.
  void dismiss(std::unique_ptr<Connection> connection);
  // Connections that are neither idle nor closed, so that stop() can cut them. After it a new one
  // is cut at once.
  void in_use(Connection& connection);
  void not_in_use(Connection& connection) { std::erase(in_use_, &connection); }
  void stop();
  bool stopped() const { return stopped_; }
  // Ends when every goodbye is said.
  auto join() { return tasks_.join(); }

 private:
  Task<void> reap();
  void drop_oldest();

  Loop& loop_;
  Limits limits_;
  std::list<Idle> idle_;             // the longest idle first
  std::vector<Connection*> in_use_;  // by age, so that stop() does the same in every run
  std::unique_ptr<Timer> timer_;
  bool reaping_ = false;
  bool stopped_ = false;
  TaskGroup tasks_;
};

}  // namespace tapal::delivery
