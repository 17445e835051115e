// What the shaper learns from attempts, and what comes of it.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "rules/shaping/shaper_site.h"

namespace tapal::shaping {

using queue::Sender;

namespace {

constexpr std::size_t words_of_reply_max = 200;
constexpr std::chrono::hours bound_holds{24};         // what a site said that it does not bear
constexpr std::size_t senders_closed_to_max = 1'000;  // then those whose time is over are forgotten

}  // namespace

struct Shaper::Ended {
  std::string_view name;  // of the site
  Site& site;
  const Sender& sender;
  const std::string& source;
  const Lesson& lesson;
  WallTime now{};
};

// Whatever it said, an attempt may have counted at the other side.
void Shaper::count(const Ended& ended) {
  Site& site = ended.site;
  site.load.count(ended.lesson.connected_anew, ended.now);
  if (Load* all = whole(ended.name, site)) all->count(ended.lesson.connected_anew, ended.now);
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
      site.concurrency.on_success(site.load.attempts);
      break;
    case Lesson::Kind::put_off:
    case Lesson::Kind::no_answer: is_down = went_wrong(ended); break;
    case Lesson::Kind::nothing: break;
  }
  if (lesson.rule != nullptr) {
    if (auto pause = follow(ended)) return pause;
  }
  if (!is_down) return {};
  return Pause{std::string(name), {}, {}, *site.closed_until, site.closed_because};
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
      if (!is_ahead(site.slow_until, ended.now)) site.concurrency.on_too_many(site.load.attempts);
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
  if (!pause.source) {
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
  if (pause.source) {
    if (sources_ != nullptr)
      sources_->suspend(*pause.source, {pause.site, pause.until, pause.reason}, now);
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
    if (key.size() > name.size() && key[name.size()] != site_key_separator) continue;
    site.closed_until.reset();
    site.slow_until.reset();
    site.closed_to.clear();
    site.downs = 0;
  }
}

}  // namespace tapal::shaping
