#include "rules/queue/scheduler.h"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

namespace tapal::queue {
namespace {

std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

// Of the turns when everything waits at once: interactive, normal and bulk mail.
constexpr std::array<std::int64_t, 3> weight_of_priority{8, 4, 1};

constexpr std::chrono::milliseconds ask_again_after{100};  // a gate that refused

}  // namespace

Scheduler::Scheduler(SchedulerLimits limits, Gate* gate) : limits_(limits), gate_(gate) {}

bool Scheduler::has_room(Lane lane) const {
  const std::size_t attempts = attempts_[0] + attempts_[1];
  return attempts < limits_.attempts_at_once_max &&
         (lane == Lane::first || attempts_[index(lane)] < limits_.retries_at_once_max);
}
bool Scheduler::has_room(const Site& site) const {
  return site.attempts < (site.known ? limits_.attempts_per_site_max : 1);
}

bool Scheduler::full() const {
  return messages_waiting_.load(std::memory_order_relaxed) >= limits_.messages_waiting_max ||
         recipients_waiting_.load(std::memory_order_relaxed) >= limits_.recipients_waiting_max;
}

void Scheduler::publish_counts() {
  messages_waiting_.store(entries_.size(), std::memory_order_relaxed);
  recipients_waiting_.store(recipients_[0] + recipients_[1] + recipients_[2],
                            std::memory_order_relaxed);
}

void Scheduler::count(PartState state, std::ptrdiff_t recipients) {
  recipients_[static_cast<std::size_t>(state)] += static_cast<std::size_t>(recipients);
}

std::uint32_t Scheduler::new_part(Part part) {
  Entry& entry = part.message->second;
  part.next_of_message = entry.first_part;
  count_at_site(part, Count::in);
  count(part.state, static_cast<std::ptrdiff_t>(part.size()));
  auto number = static_cast<std::uint32_t>(parts_.size());
  if (free_parts_.empty()) {
    parts_.push_back(std::move(part));
    heap_positions_.push_back(none);
  } else {
    number = free_parts_.back();
    free_parts_.pop_back();
    parts_[number] = std::move(part);
  }
  if (entry.first_part != none) parts_[entry.first_part].previous_of_message = number;
  entry.first_part = number;
  return number;
}

// The part is in no flow any more. The destination stays until free_destination_if_unused().
void Scheduler::free_part(std::uint32_t number) {
  Part& part = parts_[number];
  Entry& entry = part.message->second;
  if (part.previous_of_message == none)
    entry.first_part = part.next_of_message;
  else
    parts_[part.previous_of_message].next_of_message = part.next_of_message;
  if (part.next_of_message != none) {
    parts_[part.next_of_message].previous_of_message = part.previous_of_message;
  }
  count_at_site(part, Count::out);
  count(part.state, -static_cast<std::ptrdiff_t>(part.size()));
  part = Part();
  free_parts_.push_back(number);
}

void Scheduler::set_state(Part& part, PartState state) {
  const auto size = static_cast<std::ptrdiff_t>(part.size());
  count_at_site(part, Count::out);
  count(part.state, -size);
  part.state = state;
  count(state, size);
  count_at_site(part, Count::in);
}

// Files those of `recipients` that are not done, one part for each due time.
void Scheduler::add_parts(std::span<std::uint32_t> recipients,
                          const Message& message,
                          Filed& filed,
                          std::uint32_t destination) {
  const auto key = [&message](std::uint32_t i) {
    const RecipientState& state = message.recipients[i];
    return std::tuple(state.state, state.next_attempt, state.attempts == 0);
  };
  if (recipients.size() > 1) {
    std::ranges::sort(recipients, [&key](std::uint32_t a, std::uint32_t b) {
      return std::pair(key(a), a) < std::pair(key(b), b);
    });
  }
  for (std::size_t begin = 0, end = 0; begin < recipients.size(); begin = end) {
    while (end < recipients.size() && key(recipients[end]) == key(recipients[begin])) ++end;
    const RecipientState& state = message.recipients[recipients[begin]];
    if (state.state != State::waiting && state.state != State::held) continue;
    Part part;
    part.message = &filed;
    part.due = state.next_attempt;
    part.destination = destination;
    part.lane = state.attempts == 0 ? Lane::first : Lane::retry;
    const bool held = state.state == State::held || filed.second.hold_wanted;
    part.state = held ? PartState::held : PartState::waiting;
    part.first_recipient = recipients[begin];
    if (end - begin > 1) {
      const auto group = recipients.subspan(begin, end - begin);
      part.more_recipients =
          std::make_unique<std::vector<std::uint32_t>>(group.begin(), group.end());
    }
    const std::uint32_t number = new_part(std::move(part));
    if (!held) file(number);
  }
}

void Scheduler::add(const Message& message, std::span<const Place> places) {
  assert(places.empty() || places.size() == message.recipients.size());
  const auto [entry, is_new] = entries_.try_emplace(message.id);
  if (!is_new) return;
  entry->second.sender = sender_number(message);
  entry->second.priority = message.priority;
  add_all(message, *entry, places, {});
}

// All that wait and are not in flight; an entry of which nothing is left goes.
void Scheduler::add_all(const Message& message,
                        Filed& entry,
                        std::span<const Place> places,
                        std::span<const std::uint32_t> in_flight) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> filed;  // destination, recipient
  filed.reserve(message.recipients.size());
  for (std::uint32_t i = 0; i < message.recipients.size(); ++i) {
    const RecipientState& state = message.recipients[i];
    if (state.state != State::waiting && state.state != State::held) continue;
    if (std::ranges::binary_search(in_flight, i)) continue;
    const std::string& domain = state.recipient.address.domain;
    filed.emplace_back(
        places.empty() ? destination_number({domain, domain}) : destination_number(places[i]), i);
  }
  if (filed.size() > 1) std::ranges::sort(filed);
  std::vector<std::uint32_t> recipients;
  for (std::size_t i = 0; i < filed.size();) {
    const std::uint32_t destination = filed[i].first;
    recipients.clear();
    for (; i < filed.size() && filed[i].first == destination; ++i) {
      recipients.push_back(filed[i].second);
    }
    add_parts(recipients, message, entry, destination);
  }
  if (entry.second.first_part == none) forget(entries_.find(message.id));
  publish_counts();
}

void Scheduler::refile(const Message& message, std::span<const Place> places) {
  const auto entry = entries_.find(message.id);
  if (entry == entries_.end() || entry->second.dropped) return;
  const auto away = in_flight(message.id);
  entry->second.hold_wanted = false;
  remove_idle_parts(entry->second);
  add_all(message, *entry, places, away);
}

// Those not in flight.
void Scheduler::remove_idle_parts(const Entry& entry) {
  for (auto i = entry.first_part; i != none;) {
    const std::uint32_t next = parts_[i].next_of_message;
    const std::uint32_t destination = parts_[i].destination;
    if (parts_[i].state == PartState::waiting) unfile(i);
    if (parts_[i].state != PartState::in_flight) {
      free_part(i);
      free_destination_if_unused(destination);
    }
    i = next;
  }
}

// Each ring with something to do gains its weight, the one that has gained most is served and pays
// for all: turns in proportion to the weights, as even as they can be.
std::optional<Job> Scheduler::next(WallTime now) {
  if (attempts_[0] + attempts_[1] >= limits_.attempts_at_once_max) return {};
  wake(now);
  std::array<bool, rings> tried{};
  for (std::size_t round = 0; round < rings; ++round) {
    std::size_t best = rings;
    for (std::size_t ring = 0; ring < rings; ++ring) {
      if (rings_[ring].empty()) credit_[ring] = 0;
      if (rings_[ring].empty() || tried[ring]) continue;
      if (best == rings || credit_[ring] + weight_of_priority[ring % priorities] >
                               credit_[best] + weight_of_priority[best % priorities])
        best = ring;
    }
    if (best == rings) return {};
    tried[best] = true;
    std::optional<Job> job = next_in(best, now);
    if (!job) continue;
    for (std::size_t ring = 0; ring < rings; ++ring) {
      if (rings_[ring].empty() && ring != best) continue;
      credit_[ring] += weight_of_priority[ring % priorities];
      credit_[best] -= weight_of_priority[ring % priorities];
    }
    return job;
  }
  return {};
}

std::optional<Job> Scheduler::next_in(std::size_t ring, WallTime now) {
  while (!rings_[ring].empty() && has_room(static_cast<Lane>(ring / priorities))) {
    const std::uint32_t line = rings_[ring].front();
    rings_[ring].pop_front();
    line_at(line).in_ring = false;
    std::optional<Job> job = next_of(line, now);
    enlist(line);
    free_site_if_unused(line / rings);
    if (job) return job;
  }
  return {};
}

// The next of the line's senders that has something due and is let through.
std::optional<Job> Scheduler::next_of(std::uint32_t number, WallTime now) {
  Line& line = line_at(number);
  const Site& site = sites_[number / rings];
  while (line.ring_head != none && !site.shut && has_room(site)) {
    const std::uint32_t flow = line.ring_head;
    line.ring_head = flows_[flow].next_in_ring;
    flows_[flow].in_ring = false;
    if (flows_[flow].heap.empty() || flows_[flow].first_due() > now) {
      refile_flow(flow);
      continue;
    }
    Job job;
    if (!let_through(flow, now, job)) continue;
    start(flow, job);
    if (!flows_[flow].heap.empty() && flows_[flow].first_due() <= now)
      enter_ring(flow);
    else
      refile_flow(flow);
    return job;
  }
  return {};
}

Crossing Scheduler::crossing(const Site& site,
                             std::uint32_t sender,
                             QueueId id,
                             WallTime now) const {
  const bool over = now >= id.made() + limits_.give_up;
  return {site.name, senders_[sender].sender, id, over ? Urgency::last : Urgency::usual, now};
}

std::expected<Permit, Obstacle> Scheduler::ask_gate(const Site& site,
                                                    std::uint32_t sender,
                                                    QueueId id,
                                                    WallTime now) {
  if (gate_ == nullptr || !site.known) return Permit();
  return gate_->enter(crossing(site, sender, id, now));
}

// Refused by the gate, the flow waits with its site, or by itself.
bool Scheduler::let_through(std::uint32_t number, WallTime now, Job& job) {
  Flow& flow = flows_[number];
  const std::uint32_t site_number = flow.line / rings;
  Site& site = sites_[site_number];
  auto permit = ask_gate(site, flow.sender, flow.heap.front().key.id, now);
  if (permit) {
    job.permit = *std::move(permit);
    return true;
  }
  const Obstacle& obstacle = permit.error();
  // A gate that named a time in the past would be asked for ever.
  const WallTime later = std::max(obstacle.until.value_or(now), now + ask_again_after);
  if (obstacle.scope == Obstacle::Scope::sender) {
    flow_timers().push(number, later);
    return false;
  }
  enter_ring(number);
  site.shut = true;
  if (obstacle.until || site.attempts == 0) site_timers().push(site_number, later);
  return false;
}

// The first of a flow that stands in no ring and no timer.
void Scheduler::start(std::uint32_t flow, Job& job) {
  const std::uint32_t number = flows_[flow].heap.front().number;
  std::size_t most = std::max<std::size_t>(limits_.recipients_per_transaction_max, 1);
  if (job.permit.recipients_max != 0) most = std::min(most, job.permit.recipients_max);
  Part& waiting = parts_[number];
  const Destination& destination = destinations_[waiting.destination];
  job.id = waiting.id();
  job.destination = destination.name;
  job.lane = waiting.lane;
  job.ticket = number;
  if (waiting.size() <= most) {
    part_heap(flows_[flow]).erase(number);
    set_state(waiting, PartState::in_flight);
    if (waiting.more_recipients)
      job.recipients = *waiting.more_recipients;
    else
      job.recipients = {waiting.first_recipient};
  } else {
    // Taken from the end, so that a long list is not moved for every transaction.
    std::vector<std::uint32_t>& all = *waiting.more_recipients;
    job.recipients.assign(all.end() - static_cast<std::ptrdiff_t>(most), all.end());
    all.resize(all.size() - most);
    count(PartState::waiting, -static_cast<std::ptrdiff_t>(most));
    Part taken;
    taken.message = waiting.message;
    taken.due = waiting.due;
    taken.destination = waiting.destination;
    taken.lane = waiting.lane;
    taken.state = PartState::in_flight;
    taken.first_recipient = job.recipients.front();
    if (most > 1)
      taken.more_recipients = std::make_unique<std::vector<std::uint32_t>>(job.recipients);
    job.ticket = new_part(std::move(taken));
  }
  std::ranges::sort(job.recipients);
  take_slot(sites_[destination.site], job);
  ++attempts_[index(job.lane)];
}

void Scheduler::take_slot(Site& site, Job& job) {
  if (site.free_slots.empty()) {
    job.slot = static_cast<std::uint32_t>(site.slots.size());
    site.slots.push_back(job.ticket);
  } else {
    job.slot = site.free_slots.back();
    site.free_slots.pop_back();
    site.slots[job.slot] = job.ticket;
  }
  ++site.attempts;
  job.site = site.name;
  job.site_known = site.known;
}

void Scheduler::leave_slot(const Job& job) {
  const Part& part = parts_[job.ticket];
  Site& site = site_of(part);
  assert(site.slots[job.slot] == job.ticket);
  site.slots[job.slot] = none;
  // One without a connection would open one beside those that others keep.
  site.free_slots.insert(job.stays_connected ? site.free_slots.end() : site.free_slots.begin(),
                         job.slot);
  --site.attempts;
  if (gate_ != nullptr && site.known)
    gate_->leave(site.name, senders_[part.message->second.sender].sender, job.permit);
  if (site.timer_position == none) site.shut = false;
}

bool Scheduler::at_site(Job& job, const std::string& name, WallTime now) {
  if (job.site_known) return true;
  leave_slot(job);
  Part& part = parts_[job.ticket];
  move_destination(part.destination, site_number(name));
  Site& site = site_of(part);
  const Entry& entry = part.message->second;
  if (has_room(site) && !site.shut) {
    auto permit = ask_gate(site, entry.sender, job.id, now);
    const bool fits =
        permit && (permit->recipients_max == 0 || part.size() <= permit->recipients_max);
    if (fits) {
      job.permit = *std::move(permit);
      take_slot(site, job);
      return true;
    }
    if (permit && gate_ != nullptr) gate_->leave(site.name, senders_[entry.sender].sender, *permit);
  }
  take_back(job);
  return false;
}

// Files a job again that was begun in vain.
void Scheduler::take_back(const Job& job) {
  --attempts_[index(job.lane)];
  Part& part = parts_[job.ticket];
  const std::uint32_t destination = part.destination;
  const Entry& entry = part.message->second;
  if (entry.dropped) {
    free_part(job.ticket);
    if (entry.first_part == none) forget(entries_.find(job.id));
    free_destination_if_unused(destination);
    publish_counts();
    return;
  }
  set_state(part, entry.hold_wanted ? PartState::held : PartState::waiting);
  if (part.state == PartState::waiting) file(job.ticket);
}

bool Scheduler::finished(const Job& job, const Message& after) {
  assert(job.ticket < parts_.size() && parts_[job.ticket].state == PartState::in_flight);
  assert(parts_[job.ticket].id() == job.id && after.id == job.id);
  Filed& filed = *parts_[job.ticket].message;
  const std::uint32_t destination = parts_[job.ticket].destination;
  leave_slot(job);
  --attempts_[index(job.lane)];
  free_part(job.ticket);
  const bool dropped = filed.second.dropped;
  if (!dropped) {
    std::vector<std::uint32_t> recipients = job.recipients;
    add_parts(recipients, after, filed, destination);
  }
  if (filed.second.first_part == none) forget(entries_.find(job.id));
  enlist_all(destinations_[destination].site);
  free_destination_if_unused(destination);
  publish_counts();
  return !dropped;
}

bool Scheduler::hold(QueueId id) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return false;
  entry->second.hold_wanted = true;
  for (auto i = entry->second.first_part; i != none; i = parts_[i].next_of_message) {
    if (parts_[i].state != PartState::waiting) continue;
    unfile(i);
    set_state(parts_[i], PartState::held);
  }
  return true;
}

bool Scheduler::drop(QueueId id) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return false;
  entry->second.dropped = true;
  remove_idle_parts(entry->second);
  if (entry->second.first_part == none) forget(entry);
  publish_counts();
  return true;
}

}  // namespace tapal::queue
