// What a person orders by hand. While a change is being kept, its message stands still: nothing of
// it starts, and what comes back meanwhile waits to be kept with it.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "services/delivery/destination.h"
#include "services/delivery/dispatcher.h"

namespace tapal::delivery {
namespace {

using OrderKind = queue::Order::Kind;

constexpr std::size_t bounced_page_messages = 50;  // each with a notice in memory
constexpr std::chrono::milliseconds look_again_after{50};
constexpr std::chrono::seconds busy_patience{10};
// What the store has and the scheduler has not is on its way there, if it is no older.
constexpr std::chrono::seconds on_its_way_max{10};

std::string_view word_of(OrderKind kind) {
  switch (kind) {
    case OrderKind::retry: return "retry";
    case OrderKind::hold: return "hold";
    case OrderKind::release: return "release";
    case OrderKind::drop: return "drop";
    case OrderKind::bounce: return "bounce";
    case OrderKind::move: break;
  }
  return "move";
}

}  // namespace

Task<Result<Ordered>> Dispatcher::order(queue::Order order, queue::Filter filter) {
  const auto timer = world_.loop.make_timer();
  while (loading_ && !stopping_) co_await timer->wait_until(world_.loop.now() + look_again_after);
  const auto turn = co_await next_turn();
  TAPAL_CO_CHECK(check(order, filter));
  const auto word = word_of(order.kind);
  const auto said = queue::text_of(filter);
  const auto now = world_.clock.wall_now();
  Ordering ordering{std::move(order), std::move(filter), filter_facts(), world_.store.new_id(now)};
  auto done = co_await carry_out(std::move(ordering));
  wake();
  if (done)
    world_.log.write(Level::info,
                     "order carried out",
                     {{"order", std::string(word)},
                      {"filter", said},
                      {"messages", std::to_string(done->messages)},
                      {"recipients", std::to_string(done->recipients)}});
  co_return done;
}

Task<Dispatcher::Turn> Dispatcher::next_turn() {
  const auto timer = world_.loop.make_timer();
  while (ordering_) co_await timer->wait_until(world_.loop.now() + look_again_after);
  co_return Turn(ordering_);
}

Result<void> Dispatcher::check(const queue::Order& order, const queue::Filter& filter) const {
  if (stopping_) return fail(Code::try_later, "the server is stopping");
  if (order.kind == OrderKind::move && order.route.kind != mail::Handover::Kind::usual) {
    TAPAL_CHECK(way_of(world_.options, {.address = {}, .notify = {}, .handover = order.route}));
  }
  if (filter.ids.empty()) return {};
  Result<void> found;
  for (const auto id : filter.ids) {
    const auto message = find(id);
    if (message) return {};
    found = std::unexpected(message.error());
  }
  return found;
}

Task<Result<Ordered>> Dispatcher::carry_out(Ordering ordering) {
  const auto timer = world_.loop.make_timer();
  Ordered all;
  std::vector<QueueId> busy;
  QueueId after;
  std::optional<Instant> deadline;
  while (!stopping_) {
    TAPAL_CO_TRY(auto page, order_page(ordering, after));
    after = page.last;
    std::ranges::copy(page.busy, std::back_inserter(busy));
    TAPAL_CO_CHECK(co_await change(ordering.order, std::move(page.changed)));
    all.messages += page.counts.messages;
    all.recipients += page.counts.recipients;
    all.under_way += page.counts.under_way;
    co_await switch_to(world_.loop);  // others have their turn
    if (page.more) continue;
    if (busy.empty()) co_return all;
    if (!deadline) deadline = world_.loop.now() + busy_patience;
    if (world_.loop.now() > *deadline)
      co_return fail(Code::try_later,
                     fmt::format("{} messages were left alone: what became of their last attempts "
                                 "cannot be written; look at the disk and give the order again",
                                 busy.size()));
    co_await timer->wait_until(world_.loop.now() + look_again_after);
    ordering.filter.ids = std::exchange(busy, {});
    after = QueueId{};
  }
  co_return fail(Code::try_later, "the server is stopping: the order was carried out in part");
}

Result<Dispatcher::OrderedPage> Dispatcher::order_page(const Ordering& ordering,
                                                       QueueId after) const {
  OrderedPage page;
  const auto most =
      ordering.order.kind == OrderKind::bounce ? bounced_page_messages : page_messages;
  std::size_t seen = 0;
  const auto look = [&](queue::Message message) {
    page.last = message.id;
    plan(ordering, std::move(message), page);
    page.more = ++seen == page_messages || page.changed.size() == most;
    return !page.more;
  };
  const auto& ids = ordering.filter.ids;
  for (auto id = std::ranges::upper_bound(ids, after); id != ids.end() && !page.more; ++id)
    if (auto message = find(*id)) look(*std::move(message));
  if (!ids.empty()) return page;
  TAPAL_CHECK(world_.store.scan(after, [&](queue::Message message) {
    return message.id <= ordering.newest && look(std::move(message));
  }));
  return page;
}

void Dispatcher::plan(const Ordering& ordering, queue::Message message, OrderedPage& page) const {
  const auto& [order, filter, facts, newest] = ordering;
  const auto live = live_.find(message.id.value);
  if (live != live_.end()) {
    if (live->second.dropped) return;
    message = live->second.message;
  }
  if (!scheduler_.contains(message.id) && facts.now - message.arrived < on_its_way_max) return;
  const auto meant = filter.held
                         ? queue::matching(filter, hold_rules_.with_held(message, facts), facts)
                         : queue::matching(filter, message, facts);
  if (meant.empty()) return;
  if (live != live_.end() && live->second.keeping) return page.busy.push_back(message.id);
  std::vector<std::uint32_t> left_alone;  // a sender may not be told of a failure that is a success
  if (order.kind == OrderKind::bounce) left_alone = scheduler_.in_flight(message.id);
  Changed changed{message, std::move(message)};
  std::size_t recipients = 0;
  for (const auto i : meant) {
    if (std::ranges::binary_search(left_alone, i))
      ++page.counts.under_way;
    else if (queue::apply_order(order, changed.after.recipients[i], facts.now))
      ++recipients;
  }
  if (recipients == 0) return;
  ++page.counts.messages;
  page.counts.recipients += recipients;
  page.changed.push_back(std::move(changed));
}

Task<Result<void>> Dispatcher::change(const queue::Order& order, std::vector<Changed> page) {
  if (page.empty()) co_return Result<void>();
  for (const auto& message : page) begin_change(message.before.id);
  const auto kept = co_await commit(page, order.kind);
  std::vector<QueueId> more;
  for (const auto& message : page)
    if (end_change(order, message, kept)) more.push_back(message.before.id);
  for (const auto id : more) {
    if (kept)
      co_await keep_and_let_go(id);
    else
      tasks_.spawn(keep_and_let_go(id));
  }
  wake();
  co_return kept;
}

// With the notices about what is bounced, all of it or nothing.
Task<Result<void>> Dispatcher::commit(std::vector<Changed>& page, OrderKind kind) {
  StoreChange change;
  std::vector<bounce::Notice> notices;
  for (auto& [before, after] : page) {
    if (kind == OrderKind::bounce) {
      const auto live = live_.find(after.id.value);
      auto body = live == live_.end() ? world_.store.load_body(after.id)
                                      : Result<BodyPtr>(live->second.body);
      if (!body) co_return std::unexpected(std::move(body).error());
      make_notices(after, *body, notices);
    }
    if (queue::finished(after))
      change.removed.push_back(after.id);
    else
      change.updated.push_back(after);
  }
  for (const auto& notice : notices) {
    TAPAL_CO_CHECK(add_notice(change, notice));
  }
  auto bodies = co_await world_.store.commit(world_.loop, std::move(change), Durability::synced);
  if (!bodies) co_return std::unexpected(std::move(bodies).error());
  for (std::size_t i = 0; i < notices.size(); ++i)
    add(std::move(notices[i].message), std::move(bodies->at(i)));
  co_return Result<void>();
}

void Dispatcher::begin_change(QueueId id) {
  changing_.insert(id.value);
  scheduler_.hold(id);
  if (const auto live = live_.find(id.value); live != live_.end()) {
    ++live->second.jobs;
    live->second.keeping = true;
  }
}

bool Dispatcher::end_change(const queue::Order& order,
                            const Changed& message,
                            const Result<void>& kept) {
  const auto& [before, after] = message;
  changing_.erase(after.id.value);
  const auto found = live_.find(after.id.value);
  if (found != live_.end()) found->second.keeping = false;
  if (kept && queue::destroys(order.kind))
    world_.log.write(Level::info,
                     order.kind == OrderKind::drop ? "message dropped" : "message bounced",
                     {{"queue_id", after.id.text()}});
  if (kept && queue::finished(after)) {
    if (found != live_.end()) --found->second.jobs;
    drop(after.id);
    return false;
  }
  const bool is_retry = kept && order.kind == OrderKind::retry;
  if (found == live_.end()) {
    refile(kept ? after : before);
    if (is_retry) forgive_sites(after.id);
    return false;
  }
  auto& live = found->second;
  if (kept) merge(order, message, live);
  refile(live.message);
  if (is_retry) forgive_sites(after.id);
  watch_delay(live.message);  // which stood still, too
  if (live.changed) return true;
  let_go(after.id);
  return false;
}

// What was kept, into a message whose attempts may have come back meanwhile.
void Dispatcher::merge(const queue::Order& order, const Changed& message, Live& live) const {
  if (order.kind == OrderKind::move) live.moved = true;
  for (std::size_t i = 0; i < message.after.recipients.size(); ++i) {
    const auto& wanted = message.after.recipients[i];
    auto& state = live.message.recipients[i];
    if (wanted == message.before.recipients[i]) continue;
    if (state == message.before.recipients[i])
      state = wanted;
    else if (queue::apply_order(order, state, world_.clock.wall_now()))
      live.changed = true;
  }
}

Task<void> Dispatcher::keep_and_let_go(QueueId id) {
  co_await keep(id);
  let_go(id);
}

void Dispatcher::drop(QueueId id) {
  scheduler_.drop(id);
  const auto found = live_.find(id.value);
  if (found == live_.end()) return;
  found->second.dropped = true;
  if (found->second.jobs == 0) forget(found);
}

void Dispatcher::refile(const queue::Message& message) {
  if (changing_.contains(message.id.value)) return;  // done when the change is kept
  const auto places = places_of(message);
  if (hold_rules_.empty())
    scheduler_.refile(message, places);
  else
    scheduler_.refile(hold_rules_.with_held(message, filter_facts()), places);
}

// A person who wants a try now knows better than what was learned of the site.
void Dispatcher::forgive_sites(QueueId id) {
  for (const auto& site : scheduler_.sites_of(id)) {
    world_.shaper.forgive(site);
    if (world_.memory != nullptr) world_.memory->forgive(site);
    scheduler_.reconsider(site);
  }
}

}  // namespace tapal::delivery
