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

// No name has a line feed. The usual source has no name.
constexpr char key_separator = '\n';
std::string key_of(std::string_view site, std::string_view source) {
  std::string key(site);
  if (!source.empty()) key.append(1, key_separator).append(source);
  return key;
}

}  // namespace

struct Shaper::Account {
  std::optional<Window> messages;
  std::size_t attempts = 0;

  bool has_room(WallTime now) const { return !messages || messages->has_room(now, attempts); }
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

  // The one that has no room, or null.
  const Window* full_window(WallTime now) const {
    for (const auto* window : {&messages, &connections})
      if (*window && !(*window)->has_room(now, attempts)) return &**window;
    return nullptr;
  }
  bool is_idle(WallTime now) const {
    return attempts == 0 && !down && last_used + idle_after < now && !is_ahead(closed_until, now) &&
           !is_ahead(slow_until, now) && !is_ahead(bound_until, now) &&
           (!messages || messages->is_empty(now)) && (!connections || connections->is_empty(now)) &&
           std::ranges::none_of(
               closed_to, [now](const auto& each) { return each.second.first > now; });
  }
};

struct Shaper::Way {
  std::string source;
  std::optional<Obstacle> obstacle;
  std::string text;  // of the obstacle, where it is a source's
};

struct Shaper::Ended {
  std::string_view name;  // of the site
  Site& site;
  const Sender& sender;
  const std::string& source;
  const Lesson& lesson;
  WallTime now{};
};

Shaper::Shaper(ShaperOptions options, const ProviderTable& providers, Sources* sources)
    : options_(options), providers_(providers), sources_(sources), forget_at_(sites_kept) {}
Shaper::~Shaper() = default;

Sources* Shaper::sources_for(std::string_view site) const {
  return is_own_way(site) ? nullptr : sources_;
}

Shaper::Site& Shaper::site(std::string_view name, std::string_view source, WallTime now) {
  const auto found = source.empty() ? sites_.find(name) : sites_.find(key_of(name, source));
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
  return sites_.emplace(key_of(name, source), std::move(made)).first->second;
}

const Shaper::Site* Shaper::known_site(std::string_view name, std::string_view source) const {
  const auto found = source.empty() ? sites_.find(name) : sites_.find(key_of(name, source));
  return found == sites_.end() ? nullptr : &found->second;
}

std::string_view Shaper::provider_name(std::string_view site) const {
  const Provider* provider = provider_of_site(providers_, site);
  return provider == nullptr ? std::string_view() : std::string_view(provider->name);
}

// Those that something is counted for.
std::vector<Shaper::Account*> Shaper::accounts_of(const Sender& sender) {
  std::vector<Account*> accounts;
  const auto add = [&accounts](Accounts& all, const std::string& name, const auto& rate) {
    const auto [place, is_new] = all.try_emplace(name);
    if (is_new && rate) place->second.messages.emplace(*rate);
    accounts.push_back(&place->second);
  };
  if (!sender.domain.empty() && options_.messages_per_sender_domain)
    add(sender_domains_, sender.domain, options_.messages_per_sender_domain);
  if (!sender.user.empty() && (options_.messages_per_user || options_.connections_per_user_max))
    add(users_, sender.user, options_.messages_per_user);
  return accounts;
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
  const Scope scope = sources_ == nullptr ? Scope::site : sources_->scope();
  if (usual && is_ahead(site.closed_until, now))
    return Obstacle{Reason::site_suspended, scope, site.closed_until, {}};
  if (site.attempts >= (site.down ? 1 : site.concurrency.ceiling()))
    return Obstacle{Reason::site_connections, scope, {}, {}};
  if (!usual) return {};
  if (const Window* full = site.full_window(now))
    return Obstacle{Reason::site_rate, scope, full->room_at(now, site.attempts), {}};
  return {};
}

// What holds whatever the mail leaves from: it stands with the site as the usual source sees it.
std::optional<Obstacle> Shaper::pause_of(const Crossing& crossing) const {
  const Site* site = known_site(crossing.site, {});
  if (site == nullptr || crossing.urgency == Urgency::last) return {};
  if (is_ahead(site->closed_until, crossing.now))
    return Obstacle{Reason::site_suspended, Scope::site, site->closed_until, {}};
  const auto closed = site->closed_to.find(crossing.sender.domain);
  if (closed != site->closed_to.end() && closed->second.first > crossing.now)
    return Obstacle{Reason::sender_suspended, Scope::sender, closed->second.first, {}};
  return {};
}

// What is the sender's own limit.
std::optional<Obstacle> Shaper::obstacle_of(const Crossing& crossing) const {
  if (crossing.urgency == Urgency::last) return {};
  const WallTime now = crossing.now;
  const auto full = [now](const Account& account) {
    return account.messages->room_at(now, account.attempts);
  };
  const auto domain = sender_domains_.find(crossing.sender.domain);
  if (domain != sender_domains_.end() && !domain->second.has_room(now))
    return Obstacle{Reason::sender_rate, Scope::sender, full(domain->second), {}};
  const auto user = users_.find(crossing.sender.user);
  if (user == users_.end()) return {};
  if (!user->second.has_room(now))
    return Obstacle{Reason::user_rate, Scope::sender, full(user->second), {}};
  if (user->second.attempts >= options_.connections_per_user_max.value_or(SIZE_MAX))
    return Obstacle{Reason::user_connections, Scope::sender, {}, {}};
  return {};
}

Shaper::Way Shaper::way_of(const Crossing& crossing) const {
  Way way;
  way.obstacle = obstacle_of(crossing);
  if (!way.obstacle) way.obstacle = pause_of(crossing);
  if (way.obstacle) return way;
  const auto busy = [&](const std::string& source) -> std::optional<Obstacle> {
    const Site* site = known_site(crossing.site, source);
    return site == nullptr ? std::nullopt : obstacle_at(*site, crossing);
  };
  const auto* sources = sources_for(crossing.site);
  if (sources == nullptr) {
    way.obstacle = busy({});
    return way;
  }
  std::optional<Obstacle> first;  // of the sources that have no room, the one to have it next
  const auto has_room = [&](const Source& source) {
    auto obstacle = busy(source.name);
    if (!obstacle) return true;
    const bool sooner =
        !first || !obstacle->until || (first->until && *obstacle->until < *first->until);
    if (sooner) {
      first = std::move(obstacle);
      way.source = source.name;
    }
    return false;
  };
  const auto provider = provider_name(crossing.site);
  const auto chosen = sources->choose(provider, crossing, has_room);
  if (chosen) {
    way.source = (*chosen)->name;
    way.obstacle = busy(way.source);
  } else if (first) {
    way.obstacle = std::move(first);
  } else {
    way.obstacle = chosen.error();
    if (auto said = sources->look(provider, crossing)) way.text = std::move(said->text);
  }
  return way;
}

std::expected<queue::Permit, Obstacle> Shaper::enter(const Crossing& crossing) {
  latest_ = crossing.now;
  Way way = way_of(crossing);
  if (way.obstacle) return std::unexpected(*std::move(way.obstacle));
  Site& site = this->site(crossing.site, way.source, crossing.now);
  ++site.attempts;
  site.last_used = crossing.now;
  for (Account* account : accounts_of(crossing.sender)) ++account->attempts;
  if (auto* sources = sources_for(crossing.site))
    sources->warm_up().on_start({way.source, provider_name(crossing.site)}, crossing.now);
  return queue::Permit{
      .source = std::move(way.source),
      .recipients_max = site.limits.recipients_per_transaction_max.value_or(0),
      .messages_per_connection = site.limits.messages_per_connection_max.value_or(0)};
}

void Shaper::leave(std::string_view name, const Sender& sender, const queue::Permit& permit) {
  Site& site = this->site(name, permit.source, latest_);
  if (site.attempts > 0) --site.attempts;
  for (Account* account : accounts_of(sender))
    if (account->attempts > 0) --account->attempts;
  if (auto* sources = sources_for(name); sources != nullptr && !permit.is_settled)
    sources->warm_up().on_not_accepted({permit.source, provider_name(name)}, latest_);
}

std::optional<Obstacle> Shaper::look(const Crossing& crossing) const {
  Way way = way_of(crossing);
  if (!way.obstacle) return {};
  way.obstacle->text = way.text.empty()
                           ? text_of(*way.obstacle, known_site(crossing.site, way.source), crossing)
                           : std::move(way.text);
  return std::move(way.obstacle);
}

std::string Shaper::text_of(const Obstacle& obstacle,
                            const Site* site,
                            const Crossing& crossing) const {
  const auto rate = [](const std::optional<Window>& window) {
    return window ? rate_text(window->rate()) : std::string();
  };
  const auto own_rate = [](const std::optional<Rate>& limit) {
    return limit ? rate_text(*limit) : std::string();
  };
  const std::string_view name = crossing.site;
  switch (obstacle.reason) {
    case Reason::site_connections:
      if (site->down) return fmt::format("{} is asked with one message whether it is back", name);
      return fmt::format(
          "{} attempts are under way at {}, as many as it bears now", site->attempts, name);
    case Reason::site_rate:
      if (site->messages && site->full_window(crossing.now) == &*site->messages)
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
                         own_rate(options_.messages_per_sender_domain));
    case Reason::user_rate:
      return fmt::format(
          "{} may send {} messages", crossing.sender.user, own_rate(options_.messages_per_user));
    case Reason::user_connections:
      return fmt::format("{} attempts for {} are under way, which is the most for one user",
                         options_.connections_per_user_max.value_or(0),
                         crossing.sender.user);
    case Reason::source_unusable:
    case Reason::source_suspended:
    case Reason::warm_up: break;
  }
  return obstacle.text;
}

// Whatever it said, an attempt may have counted at the other side.
void Shaper::count(const Ended& ended) {
  Site& site = ended.site;
  if (site.messages) site.messages->count(ended.now);
  if (site.connections && ended.lesson.connected_anew) site.connections->count(ended.now);
  for (Account* account : accounts_of(ended.sender))
    if (account->messages) account->messages->count(ended.now);
  auto* sources = sources_for(ended.name);
  if (sources == nullptr) return;
  const Relation relation{ended.source, provider_name(ended.name)};
  const ReplyRule* rule = ended.lesson.rule;
  if (ended.lesson.accepted)
    sources->warm_up().on_accepted(relation, ended.now);
  else if (rule != nullptr && rule->reaction == Reaction::suspend_source)
    sources->warm_up().on_deferred_for_reputation(relation, ended.now);
  else
    sources->warm_up().on_not_accepted(relation, ended.now);
}

std::optional<Pause> Shaper::learn(std::string_view name,
                                   const Sender& sender,
                                   queue::Permit& permit,
                                   const Lesson& lesson,
                                   WallTime now) {
  latest_ = now;
  Site& site = this->site(name, permit.source, now);
  const Ended ended{name, site, sender, permit.source, lesson, now};
  permit.is_settled = true;
  count(ended);
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
      site.concurrency.on_success(site.attempts);
      break;
    case Lesson::Kind::put_off:
    case Lesson::Kind::no_answer: is_down = went_wrong(ended); break;
    case Lesson::Kind::nothing: break;
  }
  if (lesson.rule != nullptr) {
    if (auto pause = follow(ended)) return pause;
  }
  if (!is_down) return {};
  return Pause{std::string(name), {}, permit.source, *site.closed_until, site.closed_because};
}

// True: the site is down, and is left alone for a while.
bool Shaper::went_wrong(const Ended& ended) {
  Site& site = ended.site;
  const bool is_down = site.concurrency.on_failure() || site.down;
  // Attempts that began before it was known to be down say nothing new.
  if (!is_down || is_ahead(site.closed_until, ended.now)) return false;
  site.down = true;
  const auto wait = options_.down_at_first * (1LL << std::min<std::size_t>(site.downs++, 20));
  site.closed_until = ended.now + std::min<std::chrono::seconds>(wait, options_.down_max);
  site.closed_because = fmt::format("attempts failed, the last with \"{}\"",
                                    ended.lesson.said.substr(0, words_of_reply_max));
  return true;
}

std::optional<Pause> Shaper::follow(const Ended& ended) {
  const ReplyRule& rule = *ended.lesson.rule;
  Site& site = ended.site;
  Pause pause{std::string(ended.name), {}, {}, ended.now + rule.time, rule.note};
  switch (rule.reaction) {
    case Reaction::slow_down:
      // Once for what all attempts under way are told at once.
      if (!is_ahead(site.slow_until, ended.now)) site.concurrency.on_too_many(site.attempts);
      site.slow_until = pause.until;
      site.bound_until = std::max(pause.until, ended.now + bound_holds);
      return {};
    case Reaction::suspend_source:
      if (sources_for(ended.name) != nullptr) pause.source = ended.source;
      return begin(std::move(pause), ended.now);
    case Reaction::suspend_sender:
      pause.sender = ended.sender.domain;
      return begin(std::move(pause), ended.now);
    case Reaction::suspend_site: return begin(std::move(pause), ended.now);
    case Reaction::bounce:
    case Reaction::retry_in:
    case Reaction::note: break;
  }
  return {};
}

// Nothing: it was so before, and may only last longer now.
std::optional<Pause> Shaper::begin(Pause pause, WallTime now) {
  if (pause.source.empty()) {
    Site& site = this->site(pause.site, {}, now);
    const auto closed = site.closed_to.find(pause.sender);
    const auto before = pause.sender.empty()             ? site.closed_until.value_or(now)
                        : closed != site.closed_to.end() ? closed->second.first
                                                         : now;
    if (before < pause.until) resume(pause, now);
    if (before > now) return {};
  } else {
    resume(pause, now);
  }
  return pause;
}

void Shaper::resume(const Pause& pause, WallTime now) {
  if (!pause.source.empty()) {
    if (sources_ != nullptr)
      sources_->suspend(pause.source, {pause.site, pause.until, pause.reason}, now);
    return;
  }
  Site& site = this->site(pause.site, {}, now);
  if (pause.sender.empty()) {
    site.closed_until = pause.until;
    site.closed_because = pause.reason;
    return;
  }
  if (site.closed_to.size() >= senders_closed_to_max)
    std::erase_if(site.closed_to, [now](const auto& each) { return each.second.first <= now; });
  site.closed_to[pause.sender] = {pause.until, pause.reason};
}

void Shaper::forgive(std::string_view name) {
  if (sources_ != nullptr) sources_->forgive(name);
  for (auto place = sites_.lower_bound(name); place != sites_.end(); ++place) {
    auto& [key, site] = *place;
    if (!key.starts_with(name)) break;
    if (key.size() > name.size() && key[name.size()] != key_separator) continue;
    site.closed_until.reset();
    site.slow_until.reset();
    site.closed_to.clear();
    site.downs = 0;
  }
}

}  // namespace tapal::shaping
