#include "app/server/egress.h"

#include <utility>

#include <boost/json.hpp>

#include "drivers/net/addresses.h"
#include "values/text/date.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

shaping::SourceOptions source_options(const Settings& settings,
                                      const shaping::ProviderTable& providers) {
  auto options = delivery::sources_of(settings.delivery);
  auto& warm_up = options.warm_up;
  warm_up.start = providers.any().daily_warm_up_start.value_or(warm_up.start);
  for (const auto& provider : providers.all())
    if (provider.daily_warm_up_start) warm_up.starts[provider.name] = *provider.daily_warm_up_start;
  return options;
}

shaping::ShaperOptions shaper_options(const Settings& settings) {
  auto options = settings.shaping;
  options.connections_per_site_max = settings.delivery.connections_per_destination_max;
  return options;
}

json::object shown(const shaping::Sources& sources, const shaping::Source& source, WallTime now) {
  const auto address = [](const std::optional<IpAddress>& ip) {
    return ip ? json::value(ip->text()) : json::value();
  };
  const auto& usability = sources.usability(source.name);
  json::array warm_up;
  for (const auto& [provider, day] : sources.warm_up().providers(source.name, now))
    warm_up.push_back(json::object{{"provider", provider},
                                   {"ceiling", day.ceiling},
                                   {"accepted_today", day.accepted},
                                   {"under_way", day.under_way}});
  json::array suspended;
  for (const auto& [site, until, why] : sources.suspensions(source.name, now))
    suspended.push_back(
        json::object{{"site", site}, {"until", text::rfc3339_date(until)}, {"why", why}});
  return {{"name", source.name},
          {"ipv4", address(source.ipv4)},
          {"ipv6", address(source.ipv6)},
          {"ehlo_name", source.ehlo_name},
          {"weight", source.weight},
          {"ipv4_used", usability.ipv4},
          {"ipv6_used", usability.ipv6},
          {"why", usability.why},
          {"warm_up", std::move(warm_up)},
          {"suspended", std::move(suspended)}};
}

json::object shown(const shaping::Sources& sources, WallTime now) {
  const auto& options = sources.options();
  json::array list;
  for (const auto& source : options.sources) list.push_back(shown(sources, source, now));
  json::array pools;
  for (const auto& pool : options.pools)
    pools.push_back(json::object{{"name", pool.name},
                                 {"sources", json::value_from(pool.sources)},
                                 {"domains", json::value_from(pool.domains)},
                                 {"users", json::value_from(pool.users)}});
  return {{"sources", std::move(list)},
          {"pools", std::move(pools)},
          {"pool", options.pool},
          {"forwarding_pool", options.forwarding_pool},
          {"notices_pool", options.notices_pool}};
}

Task<Result<std::string>> answer_sources(const shaping::Sources& sources, const Clock& clock) {
  co_return json::serialize(shown(sources, clock.wall_now()));
}

}  // namespace

Egress::Egress(EgressWorld world)
    : world_(world),
      sources_(source_options(world.settings, world.providers)),
      table_(world.settings.delivery),
      watch_({world.loop,
              world.clock,
              world.log,
              world.resolver,
              world.settings.delivery,
              sources_,
              table_,
              &local_addresses,
              &address_towards}),
      shaper_(shaper_options(world.settings), world.providers, &sources_),
      memory_({world.loop, world.clock, world.log, world.records, sources_.warm_up(), shaper_}) {}

std::map<std::string, api::OtherCommand, std::less<>> Egress::commands() {
  return {{"sources", [this](const std::string& /*request*/) {
             return answer_sources(sources_, world_.clock);
           }}};
}

Result<void> Egress::load() { return memory_.load(); }

void Egress::start() {
  tasks_.spawn(watch_.run());
  tasks_.spawn(memory_.run());
}

Task<void> Egress::stop() {
  watch_.stop();
  memory_.stop();
  co_return;
}

Task<void> Egress::end() { co_await tasks_.join(); }

}  // namespace tapal::app
