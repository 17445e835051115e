#include "rules/shaping/shaper.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "rules/shaping/site_name.h"

namespace tapal::shaping {

using queue::Crossing;
using queue::Obstacle;
using queue::Sender;
using queue::Urgency;
using Reason = Obstacle::Reason;
using Scope = Obstacle::Scope;

namespace {

constexpr std::size_t sites_kept = 20'000;
constexpr std::size_t words_of_reply_max = 200;
constexpr std::chrono::hours idle_after{1};
constexpr std::chrono::hours bound_holds{24};         // what a site said that it does not bear
constexpr std::size_t senders_closed_to_max = 1'000;  // then those whose time is over are forgotten

bool is_ahead(const std::optional<WallTime>& until, WallTime now) { return until && *until > now; }

}  // namespace

struct Shaper::Account {
  std::optional<Window> messages;
  std::size_t attempts = 0;
};

struct Shaper::Site {
  const Provider* provider = nullptr;
  SiteLimits limits;
  Concurrency concurrency;
  std::optional<Window> messages;
  std::optional<Window> connections;
  std::size_t attempts = 0;
  WallTime last_used{};

  std::optional<WallTime> closed_until;  // to all mail
  std::string closed_because;
  bool down = false;                    // until something goes well: one attempt at a time
  std::size_t downs = 0;                // in a row
  std::optional<WallTime> slow_until;   // the ceiling does not grow before
  std::optional<WallTime> bound_until;  // nor past the bound that it has
  std::map<std::string, std::pair<WallTime, std::string>, std::less<>> closed_to;  // sender domains

  bool is_idle(WallTime now) const {
    return attempts == 0 && !down && last_used + idle_after < now && !is_ahead(closed_until, now) &&
           !is_ahead(slow_until, now) && !is_ahead(bound_until, now) &&
           (!messages || messages->is_empty(now)) && (!connections || connections->is_empty(now)) &&
           std::ranges::none_of(
               closed_to, [now](const auto& each) { return each.second.first > now; });
  }
};

Shaper::Shaper(ShaperOptions options, const ProviderTable& providers)
    : options_(options), providers_(providers), forget_at_(sites_kept) {}
Shaper::~Shaper() = default;

Shaper::Site& Shaper::site(std::string_view name, WallTime now) {
  const auto found = sites_.find(name);
  if (found != sites_.end()) return found->second;
  if (sites_.size() >= forget_at_) forget_idle(now);
  const Provider* provider = provider_of_site(providers_, name);
  const SiteLimits& limits = provider == nullptr ? providers_.any().limits : provider->limits;
  const std::size_t most =
      std::min(limits.connections_max.value_or(options_.connections_per_site_max),
               options_.connections_per_site_max);
  Site made{.provider = provider,
            .limits = limits,
            .concurrency = Concurrency(options_.connections_per_site_at_first, most)};
  if (limits.messages) made.messages.emplace(*limits.messages);
  if (limits.connections) made.connections.emplace(*limits.connections);
  return sites_.emplace(name, std::move(made)).first->second;
}

const Shaper::Site* Shaper::known_site(std::string_view name) const {
  const auto found = sites_.find(name);
  return found == sites_.end() ? nullptr : &found->second;
}

// Null: nothing is to be counted for it.
Shaper::Account* Shaper::account(Accounts& accounts,
                                 const std::string& name,
                                 const std::optional<Rate>& rate) {
  if (name.empty()) return nullptr;
  Account& account = accounts[name];
  if (rate && !account.messages) account.messages.emplace(*rate);
  return &account;
}

void Shaper::forget_idle(WallTime now) {
  std::erase_if(sites_, [now](const auto& each) { return each.second.is_idle(now); });
  for (Accounts* accounts : {&sender_domains_, &users_})
    std::erase_if(*accounts, [now](const auto& each) {
      return each.second.attempts == 0 &&
             (!each.second.messages || each.second.messages->is_empty(now));
    });
  forget_at_ = std::max(sites_kept, 2 * sites_.size());
}

// What the site itself wants.
std::optional<Obstacle> Shaper::obstacle_at(const Site& site, const Crossing& crossing) const {
  const WallTime now = crossing.now;
  const bool usual = crossing.urgency == Urgency::usual;
  if (usual && is_ahead(site.closed_until, now))
    return Obstacle{Reason::site_suspended, Scope::site, site.closed_until, {}};
  if (site.attempts >= (site.down ? 1 : site.concurrency.ceiling()))
    return Obstacle{Reason::site_connections, Scope::site, {}, {}};
  if (!usual) return {};
  for (const auto* window : {&site.messages, &site.connections})
    if (*window && !(*window)->has_room(now))
      return Obstacle{Reason::site_rate, Scope::site, (*window)->room_at(now), {}};
  const auto closed = site.closed_to.find(crossing.sender.domain);
  if (closed != site.closed_to.end() && closed->second.first > now)
    return Obstacle{Reason::sender_suspended, Scope::sender, closed->second.first, {}};
  return {};
}

std::optional<Obstacle> Shaper::obstacle_of(const Site* site, const Crossing& crossing) const {
  if (site != nullptr) {
    if (auto found = obstacle_at(*site, crossing)) return found;
  }
  if (crossing.urgency == Urgency::last) return {};
  const WallTime now = crossing.now;
  const auto domain = sender_domains_.find(crossing.sender.domain);
  if (domain != sender_domains_.end() && domain->second.messages &&
      !domain->second.messages->has_room(now))
    return Obstacle{Reason::sender_rate, Scope::sender, domain->second.messages->room_at(now), {}};
  const auto user = users_.find(crossing.sender.user);
  if (user == users_.end()) return {};
  if (user->second.messages && !user->second.messages->has_room(now))
    return Obstacle{Reason::user_rate, Scope::sender, user->second.messages->room_at(now), {}};
  if (user->second.attempts >= options_.connections_per_user_max.value_or(SIZE_MAX))
    return Obstacle{Reason::user_connections, Scope::sender, {}, {}};
  return {};
}

std::expected<queue::Permit, Obstacle> Shaper::enter(const Crossing& crossing) {
  Site& site = this->site(crossing.site, crossing.now);
  if (auto obstacle = obstacle_of(&site, crossing)) return std::unexpected(*std::move(obstacle));
  ++site.attempts;
  site.last_used = crossing.now;
  if (site.messages) site.messages->count(crossing.now);
  if (site.connections) site.connections->count(crossing.now);
  if (options_.messages_per_sender_domain) {
    if (auto* domain =
            account(sender_domains_, crossing.sender.domain, options_.messages_per_sender_domain))
      domain->messages->count(crossing.now);
  }
  if (options_.messages_per_user || options_.connections_per_user_max) {
    if (auto* user = account(users_, crossing.sender.user, options_.messages_per_user)) {
      ++user->attempts;
      if (user->messages) user->messages->count(crossing.now);
    }
  }
  return queue::Permit{
      .source = {},
      .recipients_max = site.limits.recipients_per_transaction_max.value_or(0),
      .messages_per_connection = site.limits.messages_per_connection_max.value_or(0)};
}

void Shaper::leave(std::string_view name, const Sender& sender, const queue::Permit&) {
  const auto site = sites_.find(name);
  if (site != sites_.end() && site->second.attempts > 0) --site->second.attempts;
  const auto user = users_.find(sender.user);
  if (user != users_.end() && user->second.attempts > 0) --user->second.attempts;
}

std::optional<Obstacle> Shaper::look(const Crossing& crossing) const {
  const Site* site = known_site(crossing.site);
  auto obstacle = obstacle_of(site, crossing);
  if (obstacle) obstacle->text = text_of(*obstacle, site, crossing);
  return obstacle;
}

std::string Shaper::text_of(const Obstacle& obstacle,
                            const Site* site,
                            const Crossing& crossing) const {
  const auto rate = [](const std::optional<Window>& window) {
    return window ? rate_text(window->rate()) : std::string();
  };
  const std::string_view name = crossing.site;
  switch (obstacle.reason) {
    case Reason::site_connections:
      if (site->down) return fmt::format("{} is asked with one message whether it is back", name);
      return fmt::format(
          "{} attempts are under way at {}, as many as it bears now", site->attempts, name);
    case Reason::site_rate:
      if (site->messages && !site->messages->has_room(crossing.now))
        return fmt::format("{} takes {} messages", name, rate(site->messages));
      return fmt::format("{} takes {} connections", name, rate(site->connections));
    case Reason::site_suspended:
      return fmt::format("{} is left alone: {}", name, site->closed_because);
    case Reason::sender_suspended:
      return fmt::format("{} is left alone with mail from {}: {}",
                         name,
                         crossing.sender.domain,
                         site->closed_to.find(crossing.sender.domain)->second.second);
    case Reason::sender_rate:
      return fmt::format("{} may send {} messages",
                         crossing.sender.domain,
                         rate_text(*options_.messages_per_sender_domain));
    case Reason::user_rate:
      return fmt::format(
          "{} may send {} messages", crossing.sender.user, rate_text(*options_.messages_per_user));
    case Reason::user_connections:
      return fmt::format("{} attempts for {} are under way, which is the most for one user",
                         *options_.connections_per_user_max,
                         crossing.sender.user);
    case Reason::source_unusable:
    case Reason::source_limit:
    case Reason::source_suspended:
    case Reason::warm_up: break;
  }
  return obstacle.text;
}

std::optional<Shaper::Pause> Shaper::learn(std::string_view name,
                                           const Sender& sender,
                                           const Lesson& lesson,
                                           WallTime now) {
  Site& site = this->site(name, now);
  if (!lesson.connected_anew && site.connections) site.connections->take_back();
  bool is_down = false;
  switch (lesson.kind) {
    case Lesson::Kind::went_well:
      site.down = false;
      site.downs = 0;
      if (is_ahead(site.slow_until, now)) break;
      if (site.bound_until && !is_ahead(site.bound_until, now)) {
        site.bound_until.reset();
        site.concurrency.forget_bound();
      }
      site.concurrency.on_success();
      break;
    case Lesson::Kind::put_off:
    case Lesson::Kind::no_answer: is_down = went_wrong(site, lesson, now); break;
    case Lesson::Kind::nothing: break;
  }
  if (lesson.rule != nullptr) {
    if (auto pause = follow(*lesson.rule, site, sender, now)) return pause;
  }
  if (!is_down) return {};
  return Pause{{}, *site.closed_until, site.closed_because};
}

// True: the site is down, and is left alone for a while.
bool Shaper::went_wrong(Site& site, const Lesson& lesson, WallTime now) {
  const bool is_down = site.concurrency.on_failure() || site.down;
  // Attempts that began before it was known to be down say nothing new.
  if (!is_down || is_ahead(site.closed_until, now)) return false;
  site.down = true;
  const auto wait = options_.down_at_first * (1LL << std::min<std::size_t>(site.downs++, 20));
  site.closed_until = now + std::min<std::chrono::seconds>(wait, options_.down_max);
  site.closed_because = fmt::format("attempts failed, the last with \"{}\"",
                                    lesson.said.substr(0, words_of_reply_max));
  return true;
}

std::optional<Shaper::Pause> Shaper::follow(const ReplyRule& rule,
                                            Site& site,
                                            const Sender& sender,
                                            WallTime now) {
  const WallTime until = now + rule.time;
  switch (rule.reaction) {
    case Reaction::slow_down:
      // Once for what all attempts under way are told at once.
      if (!is_ahead(site.slow_until, now)) site.concurrency.on_too_many(site.attempts);
      site.slow_until = until;
      site.bound_until = std::max(until, now + bound_holds);
      return {};
    case Reaction::suspend_site:
    case Reaction::suspend_source: {
      const bool is_new = !is_ahead(site.closed_until, now);
      if (is_new || *site.closed_until < until) {
        site.closed_until = until;
        site.closed_because = rule.note;
      }
      if (!is_new) return {};
      return Pause{{}, until, rule.note};
    }
    case Reaction::suspend_sender: {
      auto& closed = site.closed_to[sender.domain];
      const bool is_new = closed.first <= now;
      closed = {until, rule.note};
      if (site.closed_to.size() > senders_closed_to_max)
        std::erase_if(site.closed_to, [now](const auto& each) { return each.second.first <= now; });
      if (!is_new) return {};
      return Pause{sender.domain, until, rule.note};
    }
    case Reaction::bounce:
    case Reaction::retry_in:
    case Reaction::note: break;
  }
  return {};
}

void Shaper::forgive(std::string_view name) {
  const auto found = sites_.find(name);
  if (found == sites_.end()) return;
  Site& site = found->second;
  site.closed_until.reset();
  site.slow_until.reset();
  site.closed_to.clear();
  site.downs = 0;
}

}  // namespace tapal::shaping
