// Where waiting mail stands: its destination's site, that site's lines, and in a line the flow of
// its sender. What is due waits in rings, what is not under timers.
#include <algorithm>
#include <utility>

#include "rules/queue/scheduler.h"

namespace tapal::queue {
namespace {

template <class Things>
std::uint32_t new_number(Things& things, std::vector<std::uint32_t>& free) {
  if (free.empty()) {
    things.emplace_back();
    return static_cast<std::uint32_t>(things.size() - 1);
  }
  const std::uint32_t number = free.back();
  free.pop_back();
  return number;
}

std::uint64_t flow_key(std::uint32_t line, std::uint32_t sender) {
  return std::uint64_t{line} << 32U | sender;
}

// One string for one sender: none of the parts can hold a line feed.
std::string sender_key(const Sender& sender) {
  std::string key;
  key.reserve(sender.user.size() + sender.domain.size() + 2);
  key.append(sender.user).append(sender.forwarded ? "\n>" : "\n").append(sender.domain);
  return key;
}

}  // namespace

std::uint32_t Scheduler::line_of(const Part& part) const {
  const auto ring =
      static_cast<std::uint32_t>(static_cast<std::size_t>(part.lane) * priorities +
                                 static_cast<std::size_t>(part.message->second.priority));
  return destinations_[part.destination].site * static_cast<std::uint32_t>(rings) + ring;
}

std::uint32_t Scheduler::destination_number(const Place& place) {
  const auto found = destination_numbers_.find(place.destination);
  if (found != destination_numbers_.end()) return found->second;
  const std::uint32_t number = new_number(destinations_, free_destinations_);
  Destination& destination = destinations_[number];
  destination.name = place.destination;
  // Until it is known the site has a name that none can have.
  destination.site = site_number(place.site.empty() ? "?" + place.destination : place.site);
  sites_[destination.site].known = !place.site.empty();
  ++sites_[destination.site].destinations;
  destination_numbers_.emplace(place.destination, number);
  return number;
}

std::uint32_t Scheduler::site_number(std::string_view name) {
  const auto found = site_numbers_.find(name);
  if (found != site_numbers_.end()) return found->second;
  const std::uint32_t number = new_number(sites_, free_sites_);
  sites_[number].name = name;
  site_numbers_.emplace(name, number);
  return number;
}

std::uint32_t Scheduler::sender_number(const Message& message) {
  Sender sender = sender_of(message);
  std::string key = sender_key(sender);
  const auto found = sender_numbers_.find(key);
  std::uint32_t number = found == sender_numbers_.end() ? none : found->second;
  if (number == none) {
    number = new_number(senders_, free_senders_);
    senders_[number].sender = std::move(sender);
    sender_numbers_.emplace(std::move(key), number);
  }
  ++senders_[number].messages;
  return number;
}

// The message has nothing here any more.
void Scheduler::forget(Entries::iterator entry) {
  const std::uint32_t number = entry->second.sender;
  entries_.erase(entry);
  KnownSender& known = senders_[number];
  if (--known.messages != 0) return;
  sender_numbers_.erase(sender_key(known.sender));
  known = KnownSender();
  free_senders_.push_back(number);
}

std::uint32_t Scheduler::flow_number(std::uint32_t line, std::uint32_t sender) {
  const auto [found, is_new] = flow_numbers_.try_emplace(flow_key(line, sender), none);
  if (!is_new) return found->second;
  const std::uint32_t number = found->second = new_number(flows_, free_flows_);
  Flow& flow = flows_[number];
  flow.line = line;
  flow.sender = sender;
  flow.next_of_line = line_at(line).first_flow;
  if (flow.next_of_line != none) flows_[flow.next_of_line].previous_of_line = number;
  line_at(line).first_flow = number;
  return number;
}

void Scheduler::free_flow_if_unused(std::uint32_t number) {
  Flow& flow = flows_[number];
  if (!flow.heap.empty() || flow.in_ring) return;
  flow_timers().erase(number);
  if (flow.previous_of_line == none)
    line_at(flow.line).first_flow = flow.next_of_line;
  else
    flows_[flow.previous_of_line].next_of_line = flow.next_of_line;
  if (flow.next_of_line != none) flows_[flow.next_of_line].previous_of_line = flow.previous_of_line;
  flow_numbers_.erase(flow_key(flow.line, flow.sender));
  flow = Flow();
  free_flows_.push_back(number);
}

void Scheduler::free_destination_if_unused(std::uint32_t number) {
  Destination& destination = destinations_[number];
  if (destination.parts != 0) return;
  destination_numbers_.erase(destination_numbers_.find(destination.name));
  const std::uint32_t site = destination.site;
  destination = Destination();
  free_destinations_.push_back(number);
  --sites_[site].destinations;
  free_site_if_unused(site);
}

// While a ring names one of its lines, its number may not be given to another; next_in() comes back
// here. What its lines still name has nothing any more.
void Scheduler::free_site_if_unused(std::uint32_t number) {
  Site& site = sites_[number];
  if (site.destinations != 0 || std::ranges::any_of(site.line, &Line::in_ring)) return;
  for (Line& line : site.line) {
    while (line.ring_head != none) {
      const std::uint32_t flow = std::exchange(line.ring_head, flows_[line.ring_head].next_in_ring);
      flows_[flow].in_ring = false;
      free_flow_if_unused(flow);
    }
  }
  const auto found = site_numbers_.find(site.name);
  if (found == site_numbers_.end() || found->second != number) return;  // freed already
  site_numbers_.erase(found);
  site_timers().erase(number);
  site = Site();
  free_sites_.push_back(number);
}

void Scheduler::count_at_site(const Part& part, Count count) {
  const std::size_t one = count == Count::in ? 1 : std::size_t{0} - 1;
  const std::size_t held = part.state == PartState::held ? one : 0;
  Destination& destination = destinations_[part.destination];
  Site& site = sites_[destination.site];
  destination.parts += one, site.parts += one;
  destination.held += held, site.held += held;
}

void Scheduler::file(std::uint32_t number) {
  const Part& part = parts_[number];
  const std::uint32_t flow = flow_number(line_of(part), part.message->second.sender);
  part_heap(flows_[flow]).push(number, {part.due, part.id()});
  if (!flows_[flow].in_ring) refile_flow(flow);
}

void Scheduler::unfile(std::uint32_t number) {
  const Part& part = parts_[number];
  const std::uint32_t flow = flow_number(line_of(part), part.message->second.sender);
  part_heap(flows_[flow]).erase(number);
  if (!flows_[flow].in_ring) refile_flow(flow);
}

// A flow that is in no ring waits for its first, or is no more.
void Scheduler::refile_flow(std::uint32_t number) {
  flow_timers().erase(number);
  Flow& flow = flows_[number];
  if (flow.heap.empty())
    free_flow_if_unused(number);
  else
    flow_timers().push(number, flow.first_due());
}

void Scheduler::enter_ring(std::uint32_t number) {
  Flow& flow = flows_[number];
  Line& line = line_at(flow.line);
  flow.in_ring = true;
  flow.next_in_ring = none;
  if (line.ring_head == none)
    line.ring_head = number;
  else
    flows_[line.ring_tail].next_in_ring = number;
  line.ring_tail = number;
}

// The line has its turn when something in it is due and its site has room.
void Scheduler::enlist(std::uint32_t number) {
  Line& line = line_at(number);
  const Site& site = sites_[number / rings];
  if (line.in_ring || line.ring_head == none || site.shut || !has_room(site)) return;
  line.in_ring = true;
  rings_[number % rings].push_back(number);
}

void Scheduler::enlist_all(std::uint32_t site) {
  for (std::uint32_t ring = 0; ring < rings; ++ring)
    enlist(site * static_cast<std::uint32_t>(rings) + ring);
}

void Scheduler::wake(WallTime now) {
  while (!site_timers_.empty() && site_timers_.front().key <= now) {
    const std::uint32_t site = site_timers_.front().number;
    site_timers().erase(site);
    sites_[site].shut = false;
    enlist_all(site);
  }
  while (!flow_timers_.empty() && flow_timers_.front().key <= now) {
    const std::uint32_t flow = flow_timers_.front().number;
    flow_timers().erase(flow);
    enter_ring(flow);
    enlist(flows_[flow].line);
  }
}

void Scheduler::reconsider(std::string_view name) {
  const auto found = site_numbers_.find(name);
  if (found == site_numbers_.end()) return;
  site_timers().erase(found->second);
  sites_[found->second].shut = false;
  enlist_all(found->second);
}

std::vector<std::uint32_t> Scheduler::waiting_for(std::uint32_t destination) {
  std::vector<std::uint32_t> waiting;
  for (const Line& line : sites_[destinations_[destination].site].line)
    for (std::uint32_t flow = line.first_flow; flow != none; flow = flows_[flow].next_of_line)
      for (const auto& node : flows_[flow].heap)
        if (parts_[node.number].destination == destination) waiting.push_back(node.number);
  return waiting;
}

// Nothing is in flight there.
void Scheduler::move_destination(std::uint32_t number, std::uint32_t to) {
  Destination& destination = destinations_[number];
  const std::uint32_t from = destination.site;
  const std::vector<std::uint32_t> waiting = waiting_for(number);
  for (const std::uint32_t part : waiting) unfile(part);
  sites_[from].parts -= destination.parts, sites_[to].parts += destination.parts;
  sites_[from].held -= destination.held, sites_[to].held += destination.held;
  --sites_[from].destinations, ++sites_[to].destinations;
  destination.site = to;
  for (const std::uint32_t part : waiting) file(part);
  free_site_if_unused(from);
}

}  // namespace tapal::queue
