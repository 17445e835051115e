// The open connections of one loop: those in use, and those that wait a moment for more work to the
// same destination.
#pragma once

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

  // An idle connection to the destination, or null.
  std::unique_ptr<Connection> take(const std::string& destination);
  // Back after use; it waits for at most Limits::idle, then says QUIT.
  void give(std::string destination, std::unique_ptr<Connection> connection);
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
  struct Idle {
    std::string destination;
    Instant since;
    std::unique_ptr<Connection> connection;
  };
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
