// What a person orders by hand: retry, hold, release, drop.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/delivery/dispatcher.h"

namespace tapal::delivery {
namespace {

constexpr std::size_t ordered_page_messages = 500;  // with one sync: some milliseconds
constexpr std::chrono::milliseconds look_again_after{50};

}  // namespace

Task<Result<void>> Dispatcher::order(Order order, QueueId id) {
  if (loading_)
    co_return fail(Code::try_later, "the queue is still being loaded, try again in a moment");
  TAPAL_CO_TRY(auto message, find(id));
  StoreChange change;
  apply(order, std::move(message), change);
  co_return co_await commit_orders(order, std::move(change));
}

Task<Result<std::size_t>> Dispatcher::order_all(Order order) {
  const auto timer = world_.loop.make_timer();
  while (loading_ && !stopping_) co_await timer->wait_until(world_.loop.now() + look_again_after);
  std::size_t ordered = 0;
  QueueId after;
  for (bool more = true; more && !stopping_;) {
    TAPAL_CO_TRY(auto page, order_page(order, after));
    more = page.messages == ordered_page_messages;
    after = page.last;
    ordered += page.messages;
    TAPAL_CO_CHECK(co_await commit_orders(order, std::move(page.change)));
  }
  co_return ordered;
}

Result<Dispatcher::OrderedPage> Dispatcher::order_page(Order order, QueueId after) {
  OrderedPage page;
  TAPAL_CHECK(world_.store.scan(after, [&](queue::Message message) {
    page.last = message.id;
    const auto found = live_.find(message.id.value);
    if (found != live_.end()) message = found->second.message;
    if (found == live_.end() || !found->second.dropped) {
      apply(order, std::move(message), page.change);
      ++page.messages;
    }
    return page.messages < ordered_page_messages;
  }));
  return page;
}

// What is to be kept goes into the change. A hold is in force at once. What sets a message going is
// not until it is kept: an attempt that began before would load the old state, and keep that.
void Dispatcher::apply(Order order, queue::Message message, StoreChange& change) {
  const auto now = world_.clock.wall_now();
  switch (order) {
    case Order::retry: queue::retry_now(message, now); break;
    case Order::hold:
      queue::hold(message);
      scheduler_.hold(message.id);
      break;
    case Order::release: queue::release(message, now); break;
    case Order::drop: change.removed.push_back(message.id); return;
  }
  if (const auto found = live_.find(message.id.value); found != live_.end()) {
    found->second.message = message;
    set_going(order, message.id);
    if (found->second.keeping) {
      // The state being kept goes with notices, which this one may not overtake.
      found->second.changed = true;
      return;
    }
  }
  change.updated.push_back(std::move(message));
}

void Dispatcher::set_going(Order order, QueueId id) {
  const auto now = world_.clock.wall_now();
  if (order == Order::release) scheduler_.release(id, now);
  if (order != Order::retry) return;
  scheduler_.retry_now(id, now);
  // A person knows better than what was learned of the site.
  for (const auto& site : scheduler_.sites_of(id)) {
    world_.shaper.forgive(site);
    scheduler_.reconsider(site);
  }
}

Task<Result<void>> Dispatcher::commit_orders(Order order, StoreChange change) {
  std::vector<QueueId> updated;
  updated.reserve(change.updated.size());
  for (const auto& message : change.updated) updated.push_back(message.id);
  const auto removed = change.removed;
  if (updated.empty() && removed.empty()) {
    wake();
    co_return Result<void>();
  }
  const auto kept =
      co_await world_.store.commit(world_.loop, std::move(change), Durability::synced);
  if (kept) {
    for (const auto id : updated) set_going(order, id);
    for (const auto id : removed) drop(id);
    wake();
    co_return Result<void>();
  }
  if (order != Order::hold) co_return std::unexpected(kept.error());
  co_return fail(kept.error().code,
                 fmt::format("{}: the order is in force, but a restart would forget it; give it "
                             "again when the disk can be written",
                             kept.error().what));
}

void Dispatcher::drop(QueueId id) {
  scheduler_.drop(id);
  const auto found = live_.find(id.value);
  if (found == live_.end()) return;
  found->second.dropped = true;
  if (found->second.jobs == 0) forget(found);
}

}  // namespace tapal::delivery
