#include "services/upkeep/key_keeper.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/upkeep/key_round.h"

namespace tapal::upkeep {
namespace {

// A little less than a day, so that a daily look is not just too early for a daily reminder.
constexpr std::chrono::hours remind_every{23};
constexpr std::size_t told_max = 10'000;

Task<std::vector<AuthorityAnswer>> ask_servers(ZoneAuthorities& authorities,
                                               Loop& loop,
                                               std::string name) {
  auto zone = co_await authorities.find(loop, name);
  if (!zone) co_return std::vector<AuthorityAnswer>();
  dns::Lookup lookup{std::move(name), dns::Type::txt};
  co_return co_await authorities.ask_all(loop, *std::move(zone), std::move(lookup));
}

}  // namespace

AskAuthorities ask_each(ZoneAuthorities& authorities) {
  return [&authorities](Loop& loop, std::string name) {
    return ask_servers(authorities, loop, std::move(name));
  };
}

KeyKeeper::KeyKeeper(KeyKeeperWorld world)
    : world_(std::move(world)), timer_(world_.loop.make_timer()) {}

Task<Result<KeyReport>> KeyKeeper::tend(std::string domain, Order order) {
  std::unique_ptr<KeyShelf::Lock> lock;
  if (order != Order::look) {
    TAPAL_CO_TRY(lock, world_.shelf.lock(domain));
  }
  TAPAL_CO_TRY(auto keys, world_.shelf.read(domain));
  KeyRound round(world_, domain, std::move(keys));
  co_await round.look();
  if (order == Order::look) {
    TAPAL_CO_CHECK(round.ask_person());
  } else {
    auto turned = co_await round.turn(order);
    if (!turned) co_return std::unexpected(std::move(turned.error()));
  }
  auto report = round.report();
  if (order != Order::look && !report.changes.empty() && world_.on_change)
    world_.on_change(fmt::format("DKIM keys of {}", domain));
  co_return report;
}

Task<void> KeyKeeper::run() {
  while (!stopped_) {
    bool soon = false;
    for (const auto& domain : world_.shelf.domains()) {
      if (stopped_) break;
      const auto report = co_await tend(domain, Order::none);
      if (report) {
        tell(domain, *report);
      } else if (report.error().code != Code::try_later && !was_told(report.error().what)) {
        world_.log.write(Level::error,
                         "DKIM keys cannot be looked after",
                         {{"domain", domain}, {"reason", report.error().what}});
      }
      soon = soon || !report || report->is_under_way;
    }
    if (stopped_) co_return;
    const auto wait = soon ? std::min(world_.options.look_again, world_.options.check_every)
                           : world_.options.check_every;
    co_await timer_->wait_until(world_.loop.now() + wait);
  }
}

void KeyKeeper::stop() {
  stopped_ = true;
  timer_->cancel();
}

bool KeyKeeper::was_told(const std::string& what) {
  const auto now = world_.clock.wall_now();
  if (told_.size() >= told_max) told_.clear();
  const auto [last, is_new] = told_.try_emplace(what, now);
  if (!is_new && now - last->second < remind_every) return true;
  last->second = now;
  return false;
}

void KeyKeeper::tell(const std::string& domain, const KeyReport& report) {
  for (const auto& change : report.changes)
    world_.log.write(Level::info, "DKIM key turned", {{"domain", domain}, {"key", change}});
  for (const auto& trouble : report.troubles)
    if (!was_told(domain + trouble))
      world_.log.write(
          Level::error, "DKIM key in trouble", {{"domain", domain}, {"reason", trouble}});
  for (const auto& [name, text, why] : report.requests)
    if (!was_told(name + text))
      world_.log.write(Level::warning,
                       "DNS record to be entered",
                       {{"name", name}, {"txt", text}, {"why", why}});
  if (report.is_due && !was_told(domain + " is due"))
    world_.log.write(Level::warning,
                     "DKIM key is due to be changed",
                     {{"domain", domain}, {"fix", fmt::format("tapal dkim rotate {}", domain)}});
}

}  // namespace tapal::upkeep
