// The laws that are looked at while a world runs; those of accounting are in ledger.cc, those of
// the disk in witness.cc, those a receiver sees in receiver.cc.
#include <algorithm>

#include "sim/world.h"

namespace tapal::sim {
namespace {

constexpr auto looks_every = std::chrono::minutes(1);
// The dispatcher looks at the calendar at least once a minute, whatever the calendar does.
constexpr auto due_and_untried_max = std::chrono::minutes(3);
// With every place taken by slow peers all the time.
constexpr auto due_and_crowded_out_max = std::chrono::hours(8);
// The sum of all waits for a peer that is slow at every step.
constexpr auto attempt_max = std::chrono::hours(3);
constexpr std::size_t notice_bytes_max = 80 * 1024;

}  // namespace

void World::check_limits() {
  if (!lives()) return;
  const auto attempts = server_->dispatcher().counts().attempts;
  const auto& limits = lawful_.scheduler;
  // From here on one limit or another may stand in the way of an attempt.
  const auto crowded = std::min(
      {limits.attempts_at_once_max, limits.retries_at_once_max, limits.attempts_per_site_max});
  if (attempts >= crowded) crowded_at_ = loop_.now();
  if (attempts > lawful_.scheduler.attempts_at_once_max)
    chronicle_.broken("attempts at once", "{} are made", attempts);
  if (server_->connections_counted() > lawful_.connections.all_max)
    chronicle_.broken("sessions at once", "{} are open", server_->connections_counted());
}

// Bodies in the hands of the server: those kept for mail that just came, those of attempts, those
// of mail on its way in, and those of notices.
void World::check_memory() {
  if (!lives()) return;
  const auto bytes = server_->store().bodies_out().bytes;
  const auto body = std::max(body_bytes_max_ + 2048, notice_bytes_max);
  const auto in_hands = lawful_.scheduler.attempts_at_once_max + lawful_.connections.all_max + 4;
  const auto bytes_max = lawful_.delivery.cached_body_bytes_max + in_hands * body;
  if (bytes > bytes_max)
    chronicle_.broken("memory for bodies", "{} bytes are held, {} are allowed", bytes, bytes_max);
}

Task<void> World::watch_the_queue() {
  const auto timer = loop_.make_timer();
  while (!over_ && !chronicle_.broken()) {
    co_await timer->wait_until(loop_.now() + looks_every);
    if (lives()) check_waiting();
  }
}

// Whatever is due and has nothing in its way is tried soon; whatever is being tried comes to an
// end.
void World::check_waiting() {
  using Reason = queue::WaitFact::Reason;
  const WallTime now = loop_.wall_now() + clock_.offset;
  std::map<Wait, Instant> still;
  for (const QueueId id : ledger_.open_ids()) {
    const auto message = server_->dispatcher().find(id);
    if (!message) continue;
    for (const queue::WaitFact& fact : server_->dispatcher().why(*message)) {
      const bool due =
          fact.due <= now && (fact.reason == Reason::turn || fact.reason == Reason::time);
      if (!due && fact.reason != Reason::in_flight) continue;
      const Wait wait{id, fact.destination, due ? Reason::turn : Reason::in_flight};
      const auto known = waits_since_.find(wait);
      const Instant since = known == waits_since_.end() ? loop_.now() : known->second;
      still.emplace(wait, since);
      judge(wait, loop_.now() - since);
    }
  }
  waits_since_ = std::move(still);
}

void World::judge(const Wait& wait, Duration waited) {
  if (wait.reason == queue::WaitFact::Reason::in_flight) {
    if (waited > attempt_max)
      chronicle_.broken(
          "attempts end", "{} to {} is being tried for ever", wait.id.text(), wait.destination);
    return;
  }
  const bool starves =
      waited > due_and_untried_max && loop_.now() - crowded_at_ > due_and_untried_max;
  if (starves || waited > due_and_crowded_out_max)
    chronicle_.broken("no destination starves",
                      "{} to {} is due and not tried",
                      wait.id.text(),
                      wait.destination);
}

// After a clean stop nothing is in anybody's hands; an empty queue holds nothing at all.
void World::check_the_end(const Server& server) {
  if (!server.has_started()) return;
  const auto counts = server.dispatcher().counts();
  if (counts.attempts != 0 || counts.in_flight != 0)
    chronicle_.broken("a clean stop is clean", "{} attempts are left", counts.attempts);
  if (server.sessions() != 0 || server.connections_counted() != 0)
    chronicle_.broken("a clean stop is clean", "{} sessions are left", server.sessions());
  if (counts.messages != 0) return;
  if (counts.waiting + counts.held + counts.destinations != 0)
    chronicle_.broken(
        "an empty queue holds nothing", "{} destinations are left", counts.destinations);
  if (const auto bodies = server.store().bodies_out(); bodies.bodies != 0)
    chronicle_.broken("an empty queue holds nothing", "{} bodies are left", bodies.bodies);
}

}  // namespace tapal::sim
