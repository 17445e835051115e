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
  for (std::size_t ring = 0; ring < rings; ++ring) {
    if (!rings_[ring].empty() && has_room(static_cast<Lane>(ring / priorities))) return WallTime{};
  }
  std::optional<WallTime> due;
  if (!flow_timers_.empty()) due = flow_timers_.front().key;
  if (!site_timers_.empty() && (!due || site_timers_.front().key < *due))
    due = site_timers_.front().key;
  return due;
}

QueueCounts Scheduler::counts() const {
  return {.messages = entries_.size(),
          .waiting = recipients_[static_cast<std::size_t>(PartState::waiting)],
          .held = recipients_[static_cast<std::size_t>(PartState::held)],
          .in_flight = recipients_[static_cast<std::size_t>(PartState::in_flight)],
          .attempts = attempts_[0] + attempts_[1],
          .destinations = destination_numbers_.size(),
          .sites = site_numbers_.size()};
}

std::vector<SiteCounts> Scheduler::sites(std::size_t sites_max) const {
  std::vector<const Site*> all;
  all.reserve(site_numbers_.size());
  for (const auto& [name, number] : site_numbers_) all.push_back(&sites_[number]);
  const std::size_t shown = std::min(sites_max, all.size());
  std::ranges::partial_sort(
      all, all.begin() + static_cast<std::ptrdiff_t>(shown), [](const auto* a, const auto* b) {
        return a->parts != b->parts ? a->parts > b->parts : a->name < b->name;
      });
  all.resize(shown);

  std::vector<SiteCounts> out;
  for (const Site* site : all) {
    SiteCounts& counts = out.emplace_back();
    counts.site = site->known ? site->name : site->name.substr(1);
    counts.held = site->held;
    counts.attempts = site->attempts;
    counts.waiting = site->parts - site->held - site->attempts;
    for (const Line& line : site->line) {
      for (std::uint32_t flow = line.first_flow; flow != none; flow = flows_[flow].next_of_line) {
        if (flows_[flow].heap.empty()) continue;
        const WallTime due = flows_[flow].first_due();
        if (!counts.next_due || due < *counts.next_due) counts.next_due = due;
      }
    }
  }
  return out;
}

std::vector<std::string> Scheduler::sites_of(QueueId id) const {
  std::vector<std::string> names;
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return names;
  for (auto i = entry->second.first_part; i != none; i = parts_[i].next_of_message) {
    const Site& site = sites_[destinations_[parts_[i].destination].site];
    if (site.known && std::ranges::find(names, site.name) == names.end())
      names.push_back(site.name);
  }
  return names;
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
  const Site& site = sites_[destination.site];
  const auto recipients = part.recipients();
  WaitFact fact{.reason = Reason::turn,
                .destination = destination.name,
                .site = site.known ? site.name : std::string(),
                .recipients = {recipients.begin(), recipients.end()},
                .due = part.due};
  std::ranges::sort(fact.recipients);
  if (part.state == PartState::held) {
    fact.reason = Reason::held;
  } else if (part.state == PartState::in_flight) {
    fact.reason = Reason::in_flight;
  } else if (part.due > now) {
    fact.reason = Reason::time;
  } else if (!has_room(site)) {
    fact.reason = Reason::site_limit;
    for (const std::uint32_t other : site.slots) {
      if (other == none) continue;
      const QueueId occupant = parts_[other].id();
      if (std::ranges::find(fact.occupied_by, occupant) == fact.occupied_by.end()) {
        fact.occupied_by.push_back(occupant);
      }
    }
  } else if (!has_room(part.lane)) {
    fact.reason = Reason::total_limit;
  } else if (gate_ != nullptr && site.known) {
    Crossing asked = crossing(site, part.message->second.sender, part.id(), now);
    // While the site is shut for others, mail whose time is over waits with them.
    if (site.shut) asked.urgency = Urgency::usual;
    if (auto obstacle = gate_->look(asked)) {
      fact.reason = Reason::gate;
      fact.obstacle = *std::move(obstacle);
    }
  }
  return fact;
}

}  // namespace tapal::queue
