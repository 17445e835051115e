#include "services/delivery/dispatcher.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "services/delivery/verdict.h"
#include "values/mail/trace.h"
#include "values/text/date.h"

namespace tapal::delivery {
namespace {

using queue::Attempted;
using queue::State;

// What the mail of our own users waits for; no domain has this name.
constexpr std::string_view mailboxes = "mailboxes";

// Wall time may jump: a wait for it is never longer than this.
constexpr std::chrono::minutes wait_max{1};
constexpr std::chrono::seconds keep_again_after{1};
constexpr std::chrono::seconds read_again_after{1};
constexpr std::size_t stored_page_messages = 100;  // taken in at a time: a millisecond or two

std::string_view event_of(Attempted::Result result) {
  switch (result) {
    case Attempted::Result::delivered: return "message delivered";
    case Attempted::Result::failed: return "message failed";
    case Attempted::Result::deferred: break;
  }
  return "message deferred";
}

void leave_success_to_peer(queue::Message& message, const AttemptReport& report) {
  for (const auto& attempted : report.recipients)
    if (attempted.result == Attempted::Result::delivered)
      message.recipients.at(attempted.recipient).sender_told = true;
}

}  // namespace

Dispatcher::Dispatcher(DispatcherWorld world,
                       queue::RetrySchedule schedule,
                       queue::SchedulerLimits limits)
    : world_(std::move(world)),
      schedule_(std::move(schedule)),
      scheduler_(limits),
      timer_(world_.loop.make_timer()) {}
Dispatcher::~Dispatcher() = default;

bool Dispatcher::full() const { return scheduler_.full(); }

void Dispatcher::accept(queue::Message message, BodyPtr body) {
  auto take = [this, message = std::move(message), body = std::move(body)]() mutable {
    add(std::move(message), std::move(body));
    wake();
  };
  world_.loop.post(std::move(take));
}

Result<void> Dispatcher::load() {
  loading_ = true;
  const auto now = QueueId::make(world_.clock.wall_now(), 0);
  newest_stored_ = QueueId{now.value - 1};
  // Later than now: of a time when the clock was ahead. Seldom any.
  return world_.store.scan(newest_stored_, [this](const queue::Message& message) {
    take_in(message);
    return true;
  });
}

Task<void> Dispatcher::take_in_stored() {
  const auto timer = world_.loop.make_timer();
  QueueId after;
  while (loading_ && !stopping_) {
    const auto last = take_in_page(after);
    wake();
    if (!last) {
      world_.log.write(
          Level::error, "the queue cannot be read yet", {{"reason", last.error().what}});
      co_await timer->wait_until(world_.loop.now() + keep_again_after);
      continue;
    }
    loading_ = last->has_value();
    after = last->value_or(after);
    co_await switch_to(world_.loop);  // others have their turn
  }
  came_meanwhile_.clear();
  if (taken_in_ > 0)
    world_.log.write(Level::info, "queue loaded", {{"messages", std::to_string(taken_in_)}});
}

// The last of the page, or nothing when there are no more.
Result<std::optional<QueueId>> Dispatcher::take_in_page(QueueId after) {
  std::optional<QueueId> last;
  std::size_t count = 0;
  TAPAL_CHECK(world_.store.scan(after, [&](const queue::Message& message) {
    if (message.id > newest_stored_) return false;
    last = message.id;
    if (!came_meanwhile_.contains(message.id.value)) take_in(message);
    return ++count < stored_page_messages;
  }));
  return last;
}

void Dispatcher::take_in(const queue::Message& message) {
  ++taken_in_;
  file(message);
  watch_delay(message);
}

void Dispatcher::add(queue::Message message, BodyPtr body) {
  if (loading_) came_meanwhile_.insert(message.id.value);
  file(message);
  const auto bytes = body->size();
  if (body_bytes_at_hand_ + bytes > world_.options.cached_body_bytes_max) return;
  body_bytes_at_hand_ += bytes;
  const auto id = message.id;
  live_.emplace(id.value, Live{.message = std::move(message), .body = std::move(body)});
}

void Dispatcher::file(const queue::Message& message) {
  std::vector<std::string> destinations;
  destinations.reserve(message.recipients.size());
  for (const auto& state : message.recipients) {
    const auto& address = state.recipient.address;
    destinations.push_back(goes_to_mailbox(address)
                               ? std::string(mailboxes)
                               : destination_key(world_.options.routes, address.domain));
  }
  scheduler_.add(message, destinations);
}

bool Dispatcher::goes_to_mailbox(const mail::Address& address) const {
  return world_.is_local(address) && find_route(world_.options.routes, address.domain) == nullptr;
}

void Dispatcher::wake() {
  woken_ = true;
  timer_->cancel();
}

Task<void> Dispatcher::run() {
  tasks_.spawn(take_in_stored());
  while (!stopping_) {
    const auto now = world_.clock.wall_now();
    woken_ = false;
    while (auto job = stopping_ ? std::nullopt : scheduler_.next(now))
      tasks_.spawn(carry(*std::move(job)));
    tell_delays(now);
    auto next = scheduler_.next_due();
    if (const auto delay = next_delay(); delay && (!next || *delay < *next)) next = delay;
    Duration wait = wait_max;
    if (next) wait = std::clamp<Duration>(*next - now, std::chrono::milliseconds(1), wait_max);
    if (!woken_) co_await timer_->wait_until(world_.loop.now() + wait);
  }
  co_await tasks_.join();
}

void Dispatcher::stop(std::chrono::seconds grace) {
  stopping_ = true;
  wake();
  tasks_.spawn(stop_couriers(grace));
}

Task<void> Dispatcher::stop_couriers(std::chrono::seconds grace) {
  const auto deadline = world_.loop.now() + grace;
  const auto poll = world_.loop.make_timer();
  while (scheduler_.counts().attempts > 0 && world_.loop.now() < deadline)
    co_await poll->wait_until(
        std::min(deadline, world_.loop.now() + std::chrono::milliseconds(50)));
  for (auto* courier : world_.couriers) {
    co_await switch_to(courier->loop());
    courier->stop();
    co_await courier->join();
  }
  co_await switch_to(world_.loop);
}

Result<Dispatcher::Live*> Dispatcher::live(QueueId id) {
  if (const auto found = live_.find(id.value); found != live_.end()) return &found->second;
  auto message = world_.store.load(id);
  auto body = message ? world_.store.load_body(id) : std::unexpected(message.error());
  if (!body) {
    world_.log.write(Level::error,
                     "message cannot be read from the spool",
                     {{"queue_id", id.text()}, {"reason", body.error().what}});
    return std::unexpected(std::move(body).error());
  }
  body_bytes_at_hand_ += (*body)->size();
  Live loaded{.message = *std::move(message), .body = *std::move(body)};
  return &live_.emplace(id.value, std::move(loaded)).first->second;
}

// Null when the message is damaged or gone, or this stops. While the store is closed after an
// error no message can be read: that is waited out.
Task<Dispatcher::Live*> Dispatcher::await_live(QueueId id) {
  const auto timer = world_.loop.make_timer();
  for (;;) {
    const auto found = live(id);
    if (found) co_return *found;
    if (found.error().code != Code::try_later || stopping_) co_return nullptr;
    co_await timer->wait_until(world_.loop.now() + read_again_after);
  }
}

Task<void> Dispatcher::carry(queue::Job job) {
  auto* message = co_await await_live(job.id);
  if (message ==
      nullptr) {  // kept in the store for a person to look at, and tried at the next start
    scheduler_.drop(job.id);
    scheduler_.finished(job, queue::Message{.id = job.id});
    co_return;
  }
  ++message->jobs;
  AttemptReport report;
  if (job.destination == mailboxes)
    report = co_await put_into_mailbox(job, *message);
  else
    report = co_await attempt(job, *message);
  co_await settle(std::move(job), std::move(report));
  wake();
}

Task<AttemptReport> Dispatcher::attempt(const queue::Job& job, const Live& live) {
  Attempt attempt{job.id, job.destination, job.recipients, live.message.envelope, live.body};
  for (const auto index : job.recipients)
    attempt.envelope.recipients.push_back(live.message.recipients[index].recipient);
  auto& courier = *world_.couriers[turn_++ % world_.couriers.size()];
  co_await switch_to(courier.loop());
  auto report = co_await courier.deliver(std::move(attempt));
  co_await switch_to(world_.loop);
  co_return report;
}

Task<AttemptReport> Dispatcher::put_into_mailbox(const queue::Job& job, const Live& live) {
  AttemptReport report;
  const auto id = job.id;
  const auto body = live.body;
  const auto return_path = mail::return_path_field(live.message.envelope.return_path);
  for (const auto index : job.recipients) {
    const auto address = live.message.recipients[index].recipient.address;
    auto prefix = return_path + "Delivered-To: " + address.text() + "\r\n";
    const auto put =
        co_await world_.mailbox.deliver(world_.loop, address, body, std::move(prefix), id);
    auto verdict = verdict_of_mailbox(put);
    report.recipients.push_back({index, verdict.result, std::move(verdict.outcome)});
  }
  co_return report;
}

Task<void> Dispatcher::settle(queue::Job job, AttemptReport report) {
  auto& live = live_.at(job.id.value);
  const auto now = world_.clock.wall_now();
  queue::apply_attempt(live.message, report.recipients, schedule_, now, world_.random.number());
  if (report.peer_has_dsn) leave_success_to_peer(live.message, report);
  tell(live.message, report);
  if (scheduler_.finished(job, live.message)) {
    make_notices(live);
    watch_delay(live.message);
    co_await keep(job.id);
  }  // else: dropped by hand meanwhile, and removed then
  let_go(job.id);
}

// The last job of a message lets go of it only when its outcome is kept: whoever loads it from the
// store then sees all of it.
void Dispatcher::let_go(QueueId id) {
  const auto found = live_.find(id.value);
  if (--found->second.jobs == 0) forget(found);
}

void Dispatcher::forget(Lives::iterator which) {
  body_bytes_at_hand_ -= std::min(body_bytes_at_hand_, which->second.body->size());
  live_.erase(which);
}

// Commits what became of a message and the notices about it, both or neither. Nothing may be
// forgotten because the disk is full for a while, so this waits until it is done. One at a time for
// each message, and always its newest state: an older one must not come last.
Task<void> Dispatcher::keep(QueueId id) {
  auto& live = live_.at(id.value);
  live.changed = true;
  if (std::exchange(live.keeping, true)) co_return;  // whoever keeps it takes this along
  const auto timer = world_.loop.make_timer();
  while (live.changed && !live.dropped) {
    live.changed = false;
    auto notices = std::exchange(live.notices, {});
    auto kept = co_await commit(live.message, notices);
    if (kept) {
      for (std::size_t i = 0; i < notices.size(); ++i)
        add(std::move(notices[i].message), std::move(kept->at(i)));
      if (!notices.empty()) wake();
      continue;
    }
    world_.log.write(Level::error,
                     "outcome not kept yet",
                     {{"queue_id", id.text()}, {"reason", kept.error().what}});
    live.changed = true;
    std::ranges::move(live.notices, std::back_inserter(notices));
    live.notices = std::move(notices);
    if (stopping_) break;
    co_await timer->wait_until(world_.loop.now() + keep_again_after);
  }
  live.keeping = false;
}

Task<Result<std::vector<BodyPtr>>> Dispatcher::commit(const queue::Message& message,
                                                      const std::vector<bounce::Notice>& notices) {
  StoreChange change;
  if (queue::finished(message))
    change.removed.push_back(message.id);
  else
    change.updated.push_back(message);
  for (const auto& notice : notices) {
    TAPAL_CO_CHECK(add_notice(change, notice));
  }
  const auto durability = notices.empty() ? Durability::relaxed : Durability::synced;
  co_return co_await world_.store.commit(world_.loop, std::move(change), durability);
}

void Dispatcher::tell(const queue::Message& message, const AttemptReport& report) {
  for (const auto& attempted : report.recipients) {
    const auto& state = message.recipients.at(attempted.recipient);
    const bool failed = state.state == State::failed;
    const auto result = failed ? Attempted::Result::failed : attempted.result;
    LogFields fields{{"queue_id", message.id.text()},
                     {"to", fmt::format("<{}>", state.recipient.address.text())},
                     {"relay", attempted.outcome.remote},
                     {"tls", report.tls},
                     {"status", state.last.status},
                     {"reply", state.last.text},
                     {"attempt", std::to_string(state.attempts)}};
    if (result == Attempted::Result::deferred)
      fields.emplace_back("next", text::rfc3339_date(state.next_attempt));
    if (report.maybe_delivered && result == Attempted::Result::deferred)
      fields.emplace_back(
          "note", "the connection was lost after the message was sent: it may have been delivered");
    const auto level = result == Attempted::Result::delivered ? Level::info : Level::warning;
    world_.log.write(level, event_of(result), std::move(fields));
  }
}

Result<queue::Message> Dispatcher::find(QueueId id) const {
  const auto found = live_.find(id.value);
  if (found == live_.end()) return world_.store.load(id);
  if (found->second.dropped) return fail(Code::not_found, "the message was dropped");
  return found->second.message;
}

Task<Result<void>> Dispatcher::order(Order order, QueueId id) {
  if (loading_)
    co_return fail(Code::try_later, "the queue is still being loaded, try again in a moment");
  TAPAL_CO_TRY(auto message, find(id));
  if (order == Order::drop) co_return co_await drop(id);
  apply(order, message, world_.clock.wall_now());
  if (const auto found = live_.find(id.value); found != live_.end()) {
    found->second.message = message;
    if (found->second.keeping) {
      // The state being kept goes with notices, which this one may not overtake.
      found->second.changed = true;
      wake();
      co_return Result<void>();
    }
  }
  StoreChange change;
  change.updated.push_back(std::move(message));
  const auto kept =
      co_await world_.store.commit(world_.loop, std::move(change), Durability::synced);
  if (!kept) co_return std::unexpected(kept.error());
  wake();
  co_return Result<void>();
}

// First from the store: a message that cannot be removed there goes on being tried.
Task<Result<void>> Dispatcher::drop(QueueId id) {
  StoreChange change;
  change.removed.push_back(id);
  const auto kept =
      co_await world_.store.commit(world_.loop, std::move(change), Durability::synced);
  if (!kept) co_return std::unexpected(kept.error());
  scheduler_.drop(id);
  if (const auto found = live_.find(id.value); found != live_.end()) {
    found->second.dropped = true;
    if (found->second.jobs == 0) forget(found);
  }
  wake();
  co_return Result<void>();
}

void Dispatcher::apply(Order order, queue::Message& message, WallTime now) {
  switch (order) {
    case Order::retry:
      queue::retry_now(message, now);
      scheduler_.retry_now(message.id, now);
      break;
    case Order::hold:
      queue::hold(message);
      scheduler_.hold(message.id);
      break;
    case Order::release:
      queue::release(message, now);
      scheduler_.release(message.id, now);
      break;
    case Order::drop: break;
  }
}

}  // namespace tapal::delivery
