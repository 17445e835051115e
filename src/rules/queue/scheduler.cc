#include "rules/queue/scheduler.h"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

namespace tapal::queue {
namespace {

constexpr std::uint32_t lane_count = 2;

std::uint32_t line_number(std::uint32_t destination, Lane lane) {
  return destination * lane_count + static_cast<std::uint32_t>(lane);
}
Lane lane_of(std::uint32_t line) { return static_cast<Lane>(line % lane_count); }
Lane other(Lane lane) { return lane == Lane::first ? Lane::retry : Lane::first; }
std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace

Scheduler::Scheduler(SchedulerLimits limits) : limits_(limits) {}

auto Scheduler::part_heap(Line& line) {
  const auto place = [this](std::uint32_t part) -> std::uint32_t& { return heap_positions_[part]; };
  return IndexedHeap(line.heap, place);
}

auto Scheduler::timer_heap() {
  const auto place = [this](std::uint32_t line) -> std::uint32_t& {
    return line_of(line).timer_position;
  };
  return IndexedHeap(timers_, place);
}

Scheduler::Line& Scheduler::line_of(std::uint32_t line) {
  return destinations_[line / lane_count].line[line % lane_count];
}

bool Scheduler::has_room(Lane lane) const {
  const std::size_t attempts = attempts_[0] + attempts_[1];
  return attempts < limits_.attempts_at_once_max &&
         (lane == Lane::first || attempts_[index(lane)] < limits_.retries_at_once_max);
}
bool Scheduler::has_room(const Destination& destination) const {
  return destination.in_flight.size() < limits_.attempts_per_destination_max;
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

std::uint32_t Scheduler::destination_number(std::string_view name) {
  const auto found = destination_numbers_.find(name);
  if (found != destination_numbers_.end()) return found->second;
  auto number = static_cast<std::uint32_t>(destinations_.size());
  if (free_destinations_.empty()) {
    destinations_.emplace_back();
  } else {
    number = free_destinations_.back();
    free_destinations_.pop_back();
  }
  destinations_[number].name = name;
  destination_numbers_.emplace(name, number);
  return number;
}

void Scheduler::free_destination_if_unused(std::uint32_t number) {
  Destination& destination = destinations_[number];
  // While a ring names it, its number may not be given to another; next_in() comes back here.
  if (destination.parts != 0 || destination.line[0].in_ring || destination.line[1].in_ring) return;
  const auto found = destination_numbers_.find(destination.name);
  if (found == destination_numbers_.end() || found->second != number) return;  // freed already
  destination_numbers_.erase(found);
  destination = Destination();
  free_destinations_.push_back(number);
}

std::uint32_t Scheduler::new_part(Part part) {
  Entry& entry = part.message->second;
  part.next_of_message = entry.first_part;
  Destination& destination = destinations_[part.destination];
  ++destination.parts;
  if (part.state == PartState::held) ++destination.held;
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

// The part is in no line any more. The destination stays until free_destination_if_unused().
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
  Destination& destination = destinations_[part.destination];
  --destination.parts;
  if (part.state == PartState::held) --destination.held;
  count(part.state, -static_cast<std::ptrdiff_t>(part.size()));
  part = Part();
  free_parts_.push_back(number);
}

void Scheduler::set_state(Part& part, PartState state) {
  Destination& destination = destinations_[part.destination];
  const auto size = static_cast<std::ptrdiff_t>(part.size());
  if (part.state == PartState::held) --destination.held;
  if (state == PartState::held) ++destination.held;
  count(part.state, -size);
  count(state, size);
  part.state = state;
}

void Scheduler::refile_line(std::uint32_t number) {
  Line& line = line_of(number);
  timer_heap().erase(number);
  if (line.heap.empty() || line.in_ring) return;
  // At its limit a destination waits for finished(), which comes back here.
  if (has_room(destinations_[number / lane_count])) timer_heap().push(number, line.first_due());
}

void Scheduler::file(std::uint32_t number) {
  const Part& part = parts_[number];
  const std::uint32_t line = line_number(part.destination, part.lane);
  part_heap(line_of(line)).push(number, {part.due, part.id()});
  refile_line(line);
}

void Scheduler::unfile(std::uint32_t number) {
  const Part& part = parts_[number];
  const std::uint32_t line = line_number(part.destination, part.lane);
  part_heap(line_of(line)).erase(number);
  refile_line(line);
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

void Scheduler::add(const Message& message, std::span<const std::string> destinations) {
  assert(destinations.empty() || destinations.size() == message.recipients.size());
  const auto [place, is_new] = entries_.try_emplace(message.id);
  if (is_new) add_all(message, *place, destinations, {});
}

// All that wait and are not in flight; an entry of which nothing is left goes.
void Scheduler::add_all(const Message& message,
                        Filed& place,
                        std::span<const std::string> destinations,
                        std::span<const std::uint32_t> in_flight) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> filed;  // destination, recipient
  filed.reserve(message.recipients.size());
  for (std::uint32_t i = 0; i < message.recipients.size(); ++i) {
    const RecipientState& state = message.recipients[i];
    if (state.state != State::waiting && state.state != State::held) continue;
    if (std::ranges::binary_search(in_flight, i)) continue;
    const std::string& name =
        destinations.empty() ? state.recipient.address.domain : destinations[i];
    filed.emplace_back(destination_number(name), i);
  }
  if (filed.size() > 1) std::ranges::sort(filed);
  std::vector<std::uint32_t> recipients;
  for (std::size_t i = 0; i < filed.size();) {
    const std::uint32_t destination = filed[i].first;
    recipients.clear();
    for (; i < filed.size() && filed[i].first == destination; ++i) {
      recipients.push_back(filed[i].second);
    }
    add_parts(recipients, message, place, destination);
  }
  if (place.second.first_part == none) entries_.erase(message.id);
  publish_counts();
}

void Scheduler::refile(const Message& message, std::span<const std::string> destinations) {
  const auto entry = entries_.find(message.id);
  if (entry == entries_.end() || entry->second.dropped) return;
  const auto away = in_flight(message.id);
  entry->second.hold_wanted = false;
  remove_idle_parts(entry->second);
  add_all(message, *entry, destinations, away);
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

void Scheduler::wake_lines(WallTime now) {
  while (!timers_.empty() && timers_.front().key <= now) {
    const std::uint32_t number = timers_.front().number;
    timer_heap().erase(number);
    line_of(number).in_ring = true;
    rings_[index(lane_of(number))].push_back(number);
  }
}

std::optional<Job> Scheduler::next(WallTime now) {
  if (attempts_[0] + attempts_[1] >= limits_.attempts_at_once_max) return {};
  wake_lines(now);
  for (const Lane lane : {turn_, other(turn_)}) {
    if (std::optional<Job> job = next_in(lane, now)) {
      turn_ = other(lane);
      return job;
    }
  }
  return {};
}

std::optional<Job> Scheduler::next_in(Lane lane, WallTime now) {
  std::deque<std::uint32_t>& ring = rings_[index(lane)];
  while (!ring.empty() && has_room(lane)) {
    const std::uint32_t number = ring.front();
    const std::uint32_t destination = number / lane_count;
    ring.pop_front();
    Line& line = line_of(number);
    line.in_ring = false;
    if (line.heap.empty()) {
      free_destination_if_unused(destination);
      continue;
    }
    if (line.first_due() > now || !has_room(destinations_[destination])) {
      refile_line(number);
      continue;
    }
    Job job = start(line.heap.front().number);
    if (!line.heap.empty() && line.first_due() <= now && has_room(destinations_[destination])) {
      line.in_ring = true;
      ring.push_back(number);
    } else {
      refile_line(number);
    }
    return job;
  }
  return {};
}

// The part is the first of its line, which stands in no ring and no timer.
Job Scheduler::start(std::uint32_t number) {
  const std::size_t most = std::max<std::size_t>(limits_.recipients_per_transaction_max, 1);
  Part& waiting = parts_[number];
  Destination& destination = destinations_[waiting.destination];
  Job job{waiting.id(), destination.name, {}, waiting.lane, number};
  if (waiting.size() <= most) {
    part_heap(destination.line[index(waiting.lane)]).erase(number);
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
  destination.in_flight.push_back(job.ticket);
  ++attempts_[index(job.lane)];
  return job;
}

bool Scheduler::finished(const Job& job, const Message& after) {
  assert(job.ticket < parts_.size() && parts_[job.ticket].state == PartState::in_flight);
  assert(parts_[job.ticket].id() == job.id && after.id == job.id);
  Filed& filed = *parts_[job.ticket].message;
  const std::uint32_t number = parts_[job.ticket].destination;
  Destination& destination = destinations_[number];
  std::erase(destination.in_flight, job.ticket);
  --attempts_[index(job.lane)];
  free_part(job.ticket);
  const bool dropped = filed.second.dropped;
  if (!dropped) {
    std::vector<std::uint32_t> recipients = job.recipients;
    add_parts(recipients, after, filed, number);
  }
  if (filed.second.first_part == none) entries_.erase(job.id);
  for (const Lane lane : {Lane::first, Lane::retry}) refile_line(line_number(number, lane));
  free_destination_if_unused(number);
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

bool Scheduler::release(QueueId id, WallTime now) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return false;
  entry->second.hold_wanted = false;
  for (auto i = entry->second.first_part; i != none; i = parts_[i].next_of_message) {
    if (parts_[i].state != PartState::held) continue;
    set_state(parts_[i], PartState::waiting);
    parts_[i].due = now;
    file(i);
  }
  return true;
}

bool Scheduler::retry_now(QueueId id, WallTime now) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return false;
  for (auto i = entry->second.first_part; i != none; i = parts_[i].next_of_message) {
    if (parts_[i].state != PartState::waiting) continue;
    unfile(i);
    parts_[i].due = std::min(parts_[i].due, now);
    file(i);
  }
  return true;
}

bool Scheduler::drop(QueueId id) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return false;
  entry->second.dropped = true;
  remove_idle_parts(entry->second);
  if (entry->second.first_part == none) entries_.erase(entry);
  publish_counts();
  return true;
}

}  // namespace tapal::queue
