#include "services/delivery/connection_pool.h"

#include <algorithm>
#include <utility>

namespace tapal::delivery {

ConnectionPool::ConnectionPool(Loop& loop, Limits limits)
    : loop_(loop), limits_(limits), timer_(loop.make_timer()) {}

ConnectionPool::~ConnectionPool() = default;

std::optional<ConnectionPool::Idle> ConnectionPool::take(const Holder& holder) {
  const auto found = std::ranges::find_if(idle_, [&holder](const Idle& idle) {
    return idle.holder.slot == holder.slot && idle.holder.site == holder.site;
  });
  if (found == idle_.end()) return {};
  auto idle = std::move(*found);
  idle_.erase(found);
  return idle;
}

void ConnectionPool::give(Holder holder, std::unique_ptr<Connection> connection) {
  if (stopped_ || limits_.idle.count() == 0 || !connection->is_reusable())
    return dismiss(std::move(connection));
  idle_.push_back({std::move(holder), loop_.now(), std::move(connection)});
  if (idle_.size() > limits_.idle_connections_max) drop_oldest();
  if (!std::exchange(reaping_, true)) tasks_.spawn(reap());
}

Task<void> ConnectionPool::reap() {
  while (!idle_.empty()) {
    const auto when = idle_.front().since + limits_.idle;
    if (loop_.now() < when) {
      if (!co_await timer_->wait_until(when)) break;
      continue;
    }
    drop_oldest();
  }
  reaping_ = false;
}

void ConnectionPool::drop_oldest() {
  auto connection = std::move(idle_.front().connection);
  idle_.pop_front();
  dismiss(std::move(connection));
}

void ConnectionPool::dismiss(std::unique_ptr<Connection> connection) {
  const auto quit = [](std::unique_ptr<Connection> last) -> Task<void> { co_await last->quit(); };
  // After stop() nobody waits for another goodbye.
  if (connection->is_open() && !stopped_) tasks_.spawn(quit(std::move(connection)));
}

void ConnectionPool::in_use(Connection& connection) {
  in_use_.push_back(&connection);
  if (stopped_) connection.cut();
}

void ConnectionPool::stop() {
  for (auto& idle : std::exchange(idle_, {})) dismiss(std::move(idle.connection));
  stopped_ = true;
  timer_->cancel();
  for (auto* connection : in_use_) connection->cut();
}

}  // namespace tapal::delivery
