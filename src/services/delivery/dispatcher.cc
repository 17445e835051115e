#include "services/delivery/dispatcher.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "services/delivery/lessons.h"
#include "values/text/date.h"

namespace tapal::delivery {
namespace {

using queue::Attempted;
using queue::State;

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
      scheduler_(limits, &world_.shaper),
      first_tries_(world_.loop),
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

Task<FirstTry> Dispatcher::accept_and_try(Loop& loop,
                                          queue::Message message,
                                          BodyPtr body,
                                          std::chrono::seconds patience) {
  co_await switch_to(world_.loop);
  const auto id = message.id;
  first_tries_.expect(id);
  add(std::move(message), std::move(body));
  wake();
  auto first = co_await first_tries_.wait(id, world_.loop.now() + patience);
  co_await switch_to(loop);
  co_return first;
}

void Dispatcher::load() {
  loading_ = true;
  read_hold_rules();
  newest_stored_ = world_.store.new_id(world_.clock.wall_now());
}

Task<void> Dispatcher::take_in_stored() {
  const auto timer = world_.loop.make_timer();
  co_await put_off_marked();
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
    take_in(message);
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
  file(message);
  const auto bytes = body->size();
  if (body_bytes_at_hand_ + bytes > world_.options.cached_body_bytes_max) return;
  body_bytes_at_hand_ += bytes;
  const auto id = message.id;
  live_.emplace(id.value, Live{.message = std::move(message), .body = std::move(body)});
}

void Dispatcher::file(const queue::Message& message) {
  const auto places = places_of(message);
  if (hold_rules_.empty())
    scheduler_.add(message, places);
  else
    scheduler_.add(hold_rules_.with_held(message, filter_facts()), places);
}

std::vector<queue::Place> Dispatcher::places_of(const queue::Message& message) const {
  std::vector<queue::Place> places;
  places.reserve(message.recipients.size());
  for (const auto& state : message.recipients)
    places.push_back(world_.carriers.place_of(state.recipient, message.origin.kind));
  return places;
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
    end_hold_rules(now);
    auto next = scheduler_.next_due();
    for (const auto& other : {next_delay(), hold_rules_.next_end()})
      if (other && (!next || *other < *next)) next = other;
    Duration wait = wait_max;
    if (next) wait = std::clamp<Duration>(*next - now, std::chrono::milliseconds(1), wait_max);
    if (!woken_) co_await timer_->wait_until(world_.loop.now() + wait);
  }
  co_await tasks_.join();
}

void Dispatcher::stop(std::chrono::seconds grace) {
  stopping_ = true;
  wake();
  tasks_.spawn(stop_carriers(grace));
}

Task<void> Dispatcher::stop_carriers(std::chrono::seconds grace) {
  const auto deadline = world_.loop.now() + grace;
  const auto poll = world_.loop.make_timer();
  while (scheduler_.counts().attempts > 0 && world_.loop.now() < deadline)
    co_await poll->wait_until(
        std::min(deadline, world_.loop.now() + std::chrono::milliseconds(50)));
  co_await world_.carriers.stop();
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
  const bool changing = changing_.contains(id.value);  // whoever changes it lets go of it
  Live loaded{.message = *std::move(message),
              .body = *std::move(body),
              .jobs = changing ? 1UL : 0UL,
              .keeping = changing};
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
    wake();
    co_return;
  }
  ++message->jobs;
  const auto& first = message->message.recipients[job.recipients.front()].recipient;
  if (!job.site_known &&
      !co_await find_site(job, message->message.origin.kind, first.address.domain)) {
    let_go(job.id);
    wake();
    co_return;
  }
  auto attempt = attempt_of(job, *message);
  const auto mark = lend_mark(attempt);
  auto report = co_await world_.carriers.carry(std::move(attempt));
  co_await settle(job, std::move(report));
  if (mark) give_back(*mark);
}

// False: the job's site takes no more now, and the job is over. While DNS does not answer, the
// attempt goes on and says so.
Task<bool> Dispatcher::find_site(queue::Job& job, queue::Origin::Kind origin, std::string domain) {
  const auto site = co_await world_.carriers.find_site(std::move(domain), origin);
  co_return !site || scheduler_.at_site(job, *site, world_.clock.wall_now());
}

Attempt Dispatcher::attempt_of(const queue::Job& job, const Live& live) const {
  Attempt attempt{.id = job.id,
                  .destination = job.destination,
                  .site = job.site,
                  .slot = job.slot,
                  .permit = job.permit,
                  .indexes = job.recipients,
                  .envelope = live.message.envelope,
                  .body = live.body,
                  .forwarded = live.message.origin.kind == queue::Origin::Kind::forwarded};
  for (const auto index : job.recipients)
    attempt.envelope.recipients.push_back(live.message.recipients[index].recipient);
  return attempt;
}

Task<void> Dispatcher::settle(queue::Job& job, AttemptReport report) {
  auto& live = live_.at(job.id.value);
  const auto now = world_.clock.wall_now();
  learn(job, live, report);
  job.stays_connected = report.contact >= Contact::recipient_put_off;
  queue::apply_attempt(live.message, report.recipients, schedule_, now, world_.random.number());
  if (report.peer_has_dsn) leave_success_to_peer(live.message, report);
  first_tries_.settle(live.message);
  tell(live.message, report);
  const bool known = scheduler_.finished(job, live.message);
  wake();  // its place is free now, however long its outcome waits for the disk
  if (known) {
    if (live.moved || !hold_rules_.empty()) refile(live.message);
    make_notices(live.message, live.body, live.notices);
    watch_delay(live.message);
    co_await keep(job.id);
  }  // else: dropped by hand meanwhile, and removed then
  let_go(job.id);
}

void Dispatcher::learn(queue::Job& job, const Live& live, AttemptReport& report) {
  if (!job.site_known) return;
  const auto lesson = take_lesson(report, world_.shaper.providers(), job.site);
  const auto sender = queue::sender_of(live.message);
  const auto now = world_.clock.wall_now();
  const auto stopped = world_.shaper.learn(job.site, sender, job.permit, lesson, now);
  if (!stopped) return;
  if (world_.memory != nullptr) world_.memory->keep(*stopped);
  world_.log.write(Level::warning,
                   "site left alone",
                   {{"site", job.site},
                    {"sender", stopped->sender},
                    {"source", stopped->source.value_or("")},
                    {"until", text::rfc3339_date(stopped->until)},
                    {"reason", stopped->reason}});
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
    const bool failed =
        attempted.result == Attempted::Result::deferred && state.state == State::failed;
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
    if (!attempted.note.empty()) fields.emplace_back("meaning", attempted.note);
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

}  // namespace tapal::delivery
