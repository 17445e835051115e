#include "rules/shaping/sources.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tapal::shaping {
namespace {

using queue::Obstacle;
using queue::Urgency;
using Reason = Obstacle::Reason;

constexpr std::chrono::minutes look_again{1};  // at sources that cannot be used

// The same on every machine and in every run, so that a message keeps its source over a restart:
// FNV-1a over the name, then the last steps of splitmix64.
std::uint64_t mixed(std::string_view name, QueueId id) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ id.value;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
  return hash ^ (hash >> 31U);
}

// Weighted rendezvous hashing: each source is the greatest for its weight's share of all messages,
// and one that comes or goes moves no message between the others.
double rank(const Source& source, QueueId id) {
  constexpr double span = 0x1p53;
  const auto draw = (static_cast<double>(mixed(source.name, id) >> 11U) + 0.5) / span;
  return static_cast<double>(source.weight) / -std::log(draw);
}

std::string shown(const Source& source) {
  return source.name.empty() ? "this server's address" : fmt::format("source {}", source.name);
}

WallTime next_day(WallTime now) {
  return std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1);
}

}  // namespace

Sources::Sources(SourceOptions options) : options_(std::move(options)), warm_up_(options_.warm_up) {
  for (const auto& source : options_.sources) {
    states_.try_emplace(source.name,
                        State{&source, {source.has_ipv4(), source.has_ipv6(), {}}, {}});
    everything_.sources.push_back(source.name);
  }
  for (const auto& pool : options_.pools) {
    pools_.try_emplace(pool.name, &pool);
    for (const auto& domain : pool.domains) by_domain_.try_emplace(domain, &pool);
    for (const auto& user : pool.users) by_user_.try_emplace(user, &pool);
  }
  pools_.try_emplace(everything_.name, &everything_);
}

const Pool& Sources::pool_of(const queue::Sender& sender) const {
  const auto find = [](const auto& in, const std::string& name) {
    const auto found = in.find(name);
    return found == in.end() ? nullptr : found->second;
  };
  const bool is_notice = sender.user.empty() && sender.domain.empty();
  const auto& pool_of_kind = sender.forwarded ? options_.forwarding_pool
                             : is_notice      ? options_.notices_pool
                                              : std::string();
  const Pool* pool = nullptr;
  if (!sender.forwarded) pool = find(by_user_, sender.user);
  if (pool == nullptr && !sender.forwarded) pool = find(by_domain_, sender.domain);
  if (pool == nullptr && !pool_of_kind.empty()) pool = find(pools_, pool_of_kind);
  if (pool == nullptr) pool = find(pools_, options_.pool);
  return pool == nullptr ? everything_ : *pool;
}

Sources::States Sources::states_of(const queue::Sender& sender) const {
  States states;
  for (const auto& name : pool_of(sender).sources)
    if (const auto found = states_.find(name); found != states_.end())
      states.push_back(&found->second);
  return states;
}

std::expected<const Source*, Obstacle> Sources::choose(std::string_view provider,
                                                       const queue::Crossing& crossing,
                                                       const HasRoom& has_room) const {
  const auto states = states_of(crossing.sender);
  const bool must_go = crossing.urgency == Urgency::last;
  // Those that are free to go come first, and where all must, those that can be used at all.
  const auto standing = [&](const State& state) {
    const auto found = obstacle(state, provider, crossing);
    if (!found) return has_room(*state.source) ? 2 : 1;
    return found->reason == Reason::source_unusable ? 0 : 1;
  };
  const Source* best = nullptr;
  std::pair<int, double> best_rank;
  for (const auto* state : states) {
    const std::pair its_rank{standing(*state), rank(*state->source, crossing.message)};
    if ((its_rank.first < 2 && !must_go) || (best != nullptr && its_rank <= best_rank)) continue;
    best = state->source;
    best_rank = its_rank;
  }
  if (best != nullptr) return best;
  return std::unexpected(obstacle(states, provider, crossing).value_or(Obstacle()));
}

std::optional<Obstacle> Sources::look(std::string_view provider,
                                      const queue::Crossing& crossing) const {
  const auto states = states_of(crossing.sender);
  auto whole = obstacle(states, provider, crossing);
  if (!whole) return {};
  std::vector<std::string> texts;
  for (const auto* state : states)
    if (const auto its = obstacle(*state, provider, crossing))
      texts.push_back(text_of(*its, *state, provider, crossing));
  whole->text = fmt::format("{}", fmt::join(texts, "; "));
  return whole;
}

std::optional<Obstacle> Sources::obstacle(const State& state,
                                          std::string_view provider,
                                          const queue::Crossing& crossing) const {
  const auto now = crossing.now;
  Obstacle obstacle;
  obstacle.scope = scope();
  if (!state.usability.any()) {
    obstacle.reason = Reason::source_unusable;
    obstacle.until = now + look_again;
    return obstacle;
  }
  const auto suspended = state.suspended.find(crossing.site);
  if (suspended != state.suspended.end() && now < suspended->second.until) {
    obstacle.reason = Reason::source_suspended;
    obstacle.until = suspended->second.until;
    return obstacle;
  }
  const auto day = warm_up_.today({state.source->name, provider}, now);
  if (!day || day->has_room()) return {};
  obstacle.reason = Reason::warm_up;
  // What is under way may end without having been accepted.
  obstacle.until = day->accepted < day->ceiling ? now + look_again : next_day(now);
  return obstacle;
}

std::optional<Obstacle> Sources::obstacle(const States& states,
                                          std::string_view provider,
                                          const queue::Crossing& crossing) const {
  std::optional<Obstacle> first;
  for (const auto* state : states) {
    auto its = obstacle(*state, provider, crossing);
    if (!its) return {};
    if (!first || its->until < first->until) first = std::move(its);
  }
  return first;
}

std::string Sources::text_of(const Obstacle& obstacle,
                             const State& state,
                             std::string_view provider,
                             const queue::Crossing& crossing) const {
  const auto who = shown(*state.source);
  if (obstacle.reason == Reason::source_unusable)
    return fmt::format("{} cannot be used: {}", who, state.usability.why);
  if (obstacle.reason == Reason::source_suspended)
    return fmt::format("{} is not used at {}, which said: {}",
                       who,
                       crossing.site,
                       state.suspended.find(crossing.site)->second.why);
  const auto day = warm_up_.today({state.source->name, provider}, crossing.now).value();
  return fmt::format(
      "{} is new to {}, which had its {} messages of today or is getting the last "
      "of them",
      who,
      provider.empty() ? "whoever is no large provider" : provider,
      day.ceiling);
}

bool Sources::mark(std::string_view source, Usability usability) {
  const auto found = states_.find(source);
  if (found == states_.end() || found->second.usability == usability) return false;
  found->second.usability = std::move(usability);
  return true;
}

const Usability& Sources::usability(std::string_view source) const {
  static const Usability unknown;
  const auto found = states_.find(source);
  return found == states_.end() ? unknown : found->second.usability;
}

void Sources::suspend(std::string_view source, Suspension suspension, WallTime now) {
  const auto found = states_.find(source);
  if (found == states_.end()) return;
  auto& suspended = found->second.suspended;
  if (suspended.size() >= suspensions_max) {
    std::erase_if(suspended, [now](const auto& one) { return one.second.until <= now; });
    if (suspended.size() >= suspensions_max)
      suspended.erase(std::ranges::min_element(
          suspended, {}, [](const auto& one) { return one.second.until; }));
  }
  auto site = suspension.site;
  suspended.insert_or_assign(std::move(site), std::move(suspension));
}

void Sources::forgive(std::string_view site) {
  for (auto& [name, state] : states_)
    if (const auto found = state.suspended.find(site); found != state.suspended.end())
      state.suspended.erase(found);
}

std::vector<Sources::Suspension> Sources::suspensions(std::string_view source, WallTime now) const {
  std::vector<Suspension> all;
  const auto found = states_.find(source);
  if (found == states_.end()) return all;
  for (const auto& [site, suspension] : found->second.suspended)
    if (suspension.until > now) all.push_back(suspension);
  return all;
}

}  // namespace tapal::shaping
