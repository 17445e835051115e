// What the scheduler tells people: counts, and why a message waits.
#include <algorithm>
#include <iterator>

#include "rules/queue/scheduler.h"

namespace tapal::queue {
namespace {

constexpr std::size_t facts_max = 100;  // of one message with very many recipients

}  // namespace

bool Scheduler::contains(QueueId id) const { return entries_.contains(id); }

std::vector<std::uint32_t> Scheduler::in_flight(QueueId id) const {
  std::vector<std::uint32_t> away;
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return away;
  for (auto i = entry->second.first_part; i != none; i = parts_[i].next_of_message)
    if (parts_[i].state == PartState::in_flight)
      std::ranges::copy(parts_[i].recipients(), std::back_inserter(away));
  std::ranges::sort(away);
  return away;
}

bool Scheduler::is_dropped(QueueId id) const {
  const auto entry = entries_.find(id);
  return entry != entries_.end() && entry->second.dropped;
}

std::optional<WallTime> Scheduler::next_due() const {
  if (attempts_[0] + attempts_[1] >= limits_.attempts_at_once_max) return {};
  for (const Lane lane : {Lane::first, Lane::retry}) {
    if (has_room(lane) && !rings_[static_cast<std::size_t>(lane)].empty()) return WallTime{};
  }
  if (timers_.empty()) return {};
  return timers_.front().key;
}

QueueCounts Scheduler::counts() const {
  return {.messages = entries_.size(),
          .waiting = recipients_[static_cast<std::size_t>(PartState::waiting)],
          .held = recipients_[static_cast<std::size_t>(PartState::held)],
          .in_flight = recipients_[static_cast<std::size_t>(PartState::in_flight)],
          .attempts = attempts_[0] + attempts_[1],
          .destinations = destination_numbers_.size()};
}

std::vector<DestinationCounts> Scheduler::destinations(std::size_t destinations_max) const {
  std::vector<const Destination*> all;
  all.reserve(destination_numbers_.size());
  for (const auto& [name, number] : destination_numbers_) all.push_back(&destinations_[number]);
  const std::size_t shown = std::min(destinations_max, all.size());
  std::ranges::partial_sort(
      all, all.begin() + static_cast<std::ptrdiff_t>(shown), [](const auto* a, const auto* b) {
        return a->parts != b->parts ? a->parts > b->parts : a->name < b->name;
      });
  all.resize(shown);

  std::vector<DestinationCounts> out;
  for (const Destination* destination : all) {
    DestinationCounts& counts = out.emplace_back();
    counts.destination = destination->name;
    counts.held = destination->held;
    counts.attempts = destination->in_flight.size();
    for (const Line& line : destination->line) {
      counts.waiting += line.heap.size();
      if (line.heap.empty()) continue;
      const WallTime due = line.first_due();
      if (!counts.next_due || due < *counts.next_due) counts.next_due = due;
    }
  }
  return out;
}

std::vector<WaitFact> Scheduler::why(QueueId id, WallTime now) const {
  std::vector<WaitFact> facts;
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return facts;
  for (auto i = entry->second.first_part; i != none && facts.size() < facts_max;
       i = parts_[i].next_of_message) {
    facts.push_back(fact(parts_[i], now));
  }
  std::ranges::reverse(facts);  // parts are chained newest first
  return facts;
}

WaitFact Scheduler::fact(const Part& part, WallTime now) const {
  using Reason = WaitFact::Reason;
  const Destination& destination = destinations_[part.destination];
  const auto recipients = part.recipients();
  WaitFact fact{.reason = Reason::turn,
                .destination = destination.name,
                .recipients = {recipients.begin(), recipients.end()},
                .due = part.due};
  std::ranges::sort(fact.recipients);
  if (part.state == PartState::held) {
    fact.reason = Reason::held;
  } else if (part.state == PartState::in_flight) {
    fact.reason = Reason::in_flight;
  } else if (part.due > now) {
    fact.reason = Reason::time;
  } else if (!has_room(destination)) {
    fact.reason = Reason::destination_limit;
    for (const std::uint32_t other : destination.in_flight) {
      const QueueId occupant = parts_[other].id();
      if (std::ranges::find(fact.occupied_by, occupant) == fact.occupied_by.end()) {
        fact.occupied_by.push_back(occupant);
      }
    }
  } else if (!has_room(part.lane)) {
    fact.reason = Reason::total_limit;
  }
  return fact;
}

}  // namespace tapal::queue
