// Who may enter, and why not.
#include "rules/shaping/shaper.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "rules/shaping/shaper_site.h"
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

std::string key_of(std::string_view site, std::string_view source) {
  std::string key(site);
  if (!source.empty()) key.append(1, site_key_separator).append(source);
  return key;
}

}  // namespace

struct Shaper::Way {
  std::string source;
  std::optional<Obstacle> obstacle;
  std::string text;            // of the obstacle, where it is a source's
  const Load* full = nullptr;  // what goes to the site from all sources, where that is the obstacle
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
      std::min(limits.per_source.connections_max.value_or(options_.connections_per_site_max),
               options_.connections_per_site_max);
  Site made{.provider = provider,
            .limits = limits,
            .concurrency = Concurrency(options_.connections_per_site_at_first, most),
            .load = Load(limits.per_source)};
  return sites_.emplace(key_of(name, source), std::move(made)).first->second;
}

const Shaper::Site* Shaper::known_site(std::string_view name, std::string_view source) const {
  const auto found = source.empty() ? sites_.find(name) : sites_.find(key_of(name, source));
  return found == sites_.end() ? nullptr : &found->second;
}

Shaper::Load* Shaper::whole(std::string_view name, const Site& site) {
  const LoadLimits& limits = site.limits.per_site;
  if (limits == LoadLimits()) return nullptr;
  const auto found = wholes_.find(name);
  if (found != wholes_.end()) return &found->second;
  return &wholes_.emplace(std::string(name), limits).first->second;
}

// What all sources together may not.
std::optional<Obstacle> Shaper::obstacle_of_whole(const Load& all, const Crossing& crossing) {
  if (all.attempts >= all.attempts_max)
    return Obstacle{Reason::site_connections, Scope::site, {}, {}};
  const Window* full = crossing.urgency == Urgency::last ? nullptr : all.full_window(crossing.now);
  if (full == nullptr) return {};
  return Obstacle{Reason::site_rate, Scope::site, full->room_at(crossing.now, all.attempts), {}};
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
  const auto is_idle = [now](const auto& each) { return each.second.is_idle(now); };
  std::erase_if(sites_, is_idle);
  std::erase_if(wholes_, is_idle);
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
  if (site.load.attempts >= (site.down ? 1 : site.concurrency.ceiling()))
    return Obstacle{Reason::site_connections, scope, {}, {}};
  if (!usual) return {};
  if (const Window* full = site.load.full_window(now))
    return Obstacle{Reason::site_rate, scope, full->room_at(now, site.load.attempts), {}};
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
  if (const auto all = wholes_.find(crossing.site); all != wholes_.end()) {
    way.obstacle = obstacle_of_whole(all->second, crossing);
    if (way.obstacle) {
      way.full = &all->second;
      return way;
    }
  }
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
  ++site.load.attempts;
  if (Load* all = whole(crossing.site, site)) ++all->attempts;
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
  if (site.load.attempts > 0) --site.load.attempts;
  if (Load* all = whole(name, site); all != nullptr && all->attempts > 0) --all->attempts;
  for (Account* account : accounts_of(sender))
    if (account->attempts > 0) --account->attempts;
  if (auto* sources = sources_for(name); sources != nullptr && !permit.is_settled)
    sources->warm_up().on_not_accepted({permit.source, provider_name(name)}, latest_);
}

std::optional<Obstacle> Shaper::look(const Crossing& crossing) const {
  Way way = way_of(crossing);
  if (!way.obstacle) return {};
  auto obstacle = *std::move(way.obstacle);
  obstacle.text = way.text.empty() ? text_of(obstacle.reason, way, crossing) : std::move(way.text);
  return obstacle;
}

std::string Shaper::text_of(Reason reason, const Way& way, const Crossing& crossing) const {
  const Site* site = known_site(crossing.site, way.source);
  const Load* load = way.full == nullptr && site != nullptr ? &site->load : way.full;
  const auto rate = [](const std::optional<Window>& window) {
    return window ? rate_text(window->rate()) : std::string();
  };
  const auto own_rate = [](const std::optional<Rate>& limit) {
    return limit ? rate_text(*limit) : std::string();
  };
  const std::string_view name = crossing.site;
  switch (reason) {
    case Reason::site_connections:
      if (way.full == nullptr && site->down)
        return fmt::format("{} is asked with one message whether it is back", name);
      return fmt::format(
          "{} attempts are under way at {}, as many as it bears now", load->attempts, name);
    case Reason::site_rate:
      if (load->messages && load->full_window(crossing.now) == &*load->messages)
        return fmt::format("{} takes {} messages", name, rate(load->messages));
      return fmt::format("{} takes {} connections", name, rate(load->connections));
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
  return {};
}

}  // namespace tapal::shaping
