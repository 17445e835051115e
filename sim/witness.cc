#include "sim/witness.h"

#include <algorithm>
#include <utility>

namespace tapal::sim {

void Witness::claim(QueueId id, Claim::Kind kind, std::string state) {
  histories_[id].claims.push_back({changes_, kind, std::move(state)});
  unanswered_[changes_].push_back(id);
}

std::uint64_t Witness::asked(const StoreChange& change) {
  ++changes_;
  for (const StoreChange::NewMessage& added : change.added)
    claim(added.message.id, Claim::Kind::add, queue::to_json(added.message));
  for (const queue::Message& message : change.updated)
    claim(message.id, Claim::Kind::update, queue::to_json(message));
  for (const QueueId id : change.removed) claim(id, Claim::Kind::remove, {});
  return changes_;
}

void Witness::answered(std::uint64_t change, bool kept, Durability durability) {
  const auto touched = unanswered_.extract(change);
  if (touched.empty()) return;
  for (const QueueId id : touched.mapped())
    for (Claim& claim : histories_[id].claims)
      if (claim.change == change) claim.answer = kept ? Claim::Answer::kept : Claim::Answer::failed;
  if (kept && durability == Durability::synced) settle(change);
}

// A synced change takes along all that was asked for before it.
void Witness::settle(std::uint64_t change) {
  for (auto at = histories_.begin(); at != histories_.end();) {
    History& history = at->second;
    while (!history.claims.empty() && history.claims.front().change <= change) {
      const Claim& claim = history.claims.front();
      // A late update does not bring back what was removed.
      const bool too_late = history.durable.empty() && claim.kind == Claim::Kind::update;
      if (claim.answer == Claim::Answer::kept && !too_late) history.durable = claim.state;
      history.claims.erase(history.claims.begin());
    }
    const bool gone = history.durable.empty() && history.claims.empty();
    at = gone ? histories_.erase(at) : std::next(at);
  }
}

bool Witness::may_be(const History& history, const std::string& state) {
  return history.durable == state || std::ranges::any_of(history.claims, [&](const Claim& claim) {
           return claim.state == state;
         });
}

void Witness::reopened(Store& store) {
  std::map<QueueId, std::string> found;
  const auto read = store.scan(
      [&found](const queue::Message& message) { found[message.id] = queue::to_json(message); });
  if (!read) chronicle_.broken("the spool can be read", "{}", read.error().what);
  for (const auto& [id, history] : histories_) {
    const auto here = found.find(id);
    const std::string& state = here == found.end() ? std::string() : here->second;
    if (may_be(history, state)) continue;
    if (here == found.end())
      chronicle_.broken("what was synced is found", "{} is gone from the spool", id.text());
    else
      chronicle_.broken("what was synced is found", "{} is back in an older state", id.text());
  }
  for (const auto& [id, state] : found) {
    if (!histories_.contains(id))
      chronicle_.broken("nothing is found that was not kept", "{} came from nowhere", id.text());
    if (const auto body = store.load_body(id); !body)
      chronicle_.broken("a message has its body", "{}: {}", id.text(), body.error().what);
  }
  histories_.clear();
  unanswered_.clear();
  for (auto& [id, state] : found) histories_[id].durable = std::move(state);
}

std::size_t Witness::promised() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      histories_, [](const auto& entry) { return !entry.second.durable.empty(); }));
}

Task<Result<std::vector<BodyPtr>>> WitnessedStore::commit(Loop& loop,
                                                          StoreChange change,
                                                          Durability durability) {
  const bool counts = watchers_.has_power();
  std::vector<queue::Message> added;
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
