#include "sim/witness.h"

#include <algorithm>
#include <utility>

#include "sim/fingerprint.h"

namespace tapal::sim {
namespace {

std::uint64_t state_of(const queue::Message& message) {
  return fingerprint(queue::to_json(message));
}

}  // namespace

void Witness::claim(QueueId id, Claim claim) {
  claim.change = changes_;
  histories_[id].claims.push_back(std::move(claim));
  unanswered_[changes_].push_back(id);
}

std::uint64_t Witness::asked(const StoreChange& change) {
  ++changes_;
  std::vector<QueueId> instead;
  for (const StoreChange::NewMessage& added : change.added) {
    const auto id = added.message.id;
    if (const auto known = histories_.find(id);
        known != histories_.end() && known->second.durable != gone)
      chronicle_.broken("no two messages share a name", "{} is there already", id.text());
    claim(id, {.kind = Claim::Kind::add, .state = state_of(added.message)});
    instead.push_back(id);
  }
  for (const queue::Message& message : change.updated)
    claim(message.id, {.kind = Claim::Kind::update, .state = state_of(message)});
  for (const QueueId id : change.removed)
    claim(id, {.kind = Claim::Kind::remove, .instead = instead});
  return changes_;
}

void Witness::answered(std::uint64_t change, bool kept, Durability durability) {
  const auto touched = unanswered_.extract(change);
  if (touched.empty()) return;
  for (const QueueId id : touched.mapped()) answer(histories_[id].claims, change, kept);
  if (kept && durability == Durability::synced) settle(change);
}

// A claim that failed before and fails again is the same claim.
void Witness::answer(std::vector<Claim>& claims, std::uint64_t change, bool kept) {
  for (Claim& claim : claims)
    if (claim.change == change) claim.answer = kept ? Claim::Answer::kept : Claim::Answer::failed;
  if (kept || claims.size() < 2) return;
  const Claim& last = claims.back();
  const Claim& before = claims[claims.size() - 2];
  const bool same = last.state == before.state && before.answer == Claim::Answer::failed &&
                    last.answer == Claim::Answer::failed;
  if (same) claims.pop_back();
}

// A synced change takes along all that was asked for before it.
void Witness::settle(std::uint64_t change) {
  for (auto at = histories_.begin(); at != histories_.end();) {
    History& history = at->second;
    std::vector<Claim> open;
    for (Claim& claim : std::exchange(history.claims, {})) {
      // A late update does not bring back what was removed.
      const bool too_late = history.durable == gone && claim.kind == Claim::Kind::update;
      if (claim.change > change) {
        open.push_back(claim);
      } else if (claim.answer == Claim::Answer::kept && !too_late) {
        history.durable = claim.state;
        open.clear();
      } else if (claim.answer == Claim::Answer::failed && claim.kind != Claim::Kind::add) {
        open.push_back(claim);  // it may have happened all the same, until something newer does
      }
    }
    history.claims = std::move(open);
    const bool is_done = history.durable == gone && history.claims.empty();
    at = is_done ? histories_.erase(at) : std::next(at);
  }
}

bool Witness::may_be(const History& history, std::uint64_t state) {
  return history.durable == state || std::ranges::any_of(history.claims, [&](const Claim& claim) {
           return claim.state == state;
         });
}

// What is gone, and need not be: whatever took its place is there, or has gone its way since.
bool Witness::is_replaced(const History& history, const Found& found) const {
  const auto is_here = [&](QueueId id) {
    if (found.contains(id)) return true;
    const auto known = histories_.find(id);
    return known != histories_.end() &&
           std::ranges::count(known->second.claims, Claim::Kind::remove, &Claim::kind) > 0;
  };
  return std::ranges::any_of(history.claims, [&](const Claim& claim) {
    return claim.kind == Claim::Kind::remove && std::ranges::all_of(claim.instead, is_here);
  });
}

std::uint64_t Witness::state_in(const Found& found, QueueId id) {
  const auto here = found.find(id);
  return here == found.end() ? gone : here->second;
}

void Witness::judge(QueueId id, const History& history, const Found& found) {
  const auto state = state_in(found, id);
  if (!may_be(history, state))
    chronicle_.broken("what was synced is found",
                      "{} is {}",
                      id.text(),
                      state == gone ? "gone from the spool" : "back in an older state");
  else if (state == gone && history.durable != gone && !is_replaced(history, found))
    chronicle_.broken("a change is kept whole or not at all", "{} is gone alone", id.text());
}

void Witness::reopened(Store& store, Since since) {
  Found found;
  const auto read = store.scan({}, [&found](const queue::Message& message) {
    found[message.id] = state_of(message);
    return true;
  });
  if (!read) chronicle_.broken("the spool can be read", "{}", read.error().what);
  for (const auto& [id, history] : histories_) judge(id, history, found);
  for (const auto& [id, state] : found) {
    if (!histories_.contains(id))
      chronicle_.broken("nothing is found that was not kept", "{} came from nowhere", id.text());
    if (const auto body = store.load_body(id); !body)
      chronicle_.broken("a message has its body", "{}: {}", id.text(), body.error().what);
  }
  unanswered_.clear();
  if (since == Since::power_cut) histories_.clear();
  for (const auto& [id, state] : found) histories_[id];
  for (auto& [id, history] : histories_) {
    const auto state = state_in(found, id);
    if (since == Since::power_cut)
      history.durable = state;
    else  // what was answered with a no, and is found all the same, holds from now on
      history.claims.push_back({changes_, Claim::Kind::add, state, Claim::Answer::kept});
  }
}

std::size_t Witness::promised() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      histories_, [](const auto& entry) { return entry.second.durable != gone; }));
}

Task<Result<std::vector<BodyPtr>>> WitnessedStore::commit(Loop& loop,
                                                          StoreChange change,
                                                          Durability durability) {
  const bool counts = watchers_.has_power();
  std::vector<queue::Message> added;
  added.reserve(change.added.size());
  for (const StoreChange::NewMessage& one : change.added) added.push_back(one.message);
  const std::vector<QueueId> removed = change.removed;
  const std::uint64_t number = counts ? witness_.asked(change) : 0;
  auto result = co_await store_.commit(loop, std::move(change), durability);
  // An answer that comes after the power went was never given.
  if (!counts || !watchers_.has_power()) co_return result;
  witness_.answered(number, result.has_value(), durability);
  if (result) {
    for (const queue::Message& message : added) watchers_.added(message);
    for (const QueueId id : removed) watchers_.removed(id);
  }
  co_return result;
}

}  // namespace tapal::sim
