#include "services/delivery/sites.h"

#include <utility>
#include <vector>

#include "rules/shaping/site_name.h"

namespace tapal::delivery {
namespace {

constexpr std::chrono::hours known_for{1};
constexpr std::size_t known_max = 100'000;

}  // namespace

std::optional<std::string> Sites::known(const std::string& domain) const {
  const auto found = known_.find(domain);
  if (found == known_.end() || found->second.until < world_.loop.now()) return {};
  return found->second.site;
}

Task<std::optional<std::string>> Sites::find(std::string domain) {
  if (auto site = known(domain)) co_return site;
  std::vector<std::string> hosts;
  if (!domain.starts_with('[')) {
    const FindHosts find{world_.loop, world_.resolver, world_.random, world_.options, world_.own};
    const auto exchanges = co_await find_exchanges(find, domain);
    if (const auto* none = std::get_if<NoHost>(&exchanges)) {
      if (none->status.starts_with('4')) co_return std::nullopt;
    } else {
      for (const auto& exchange : std::get<std::vector<Exchange>>(exchanges))
        if (!exchange.name.empty()) hosts.push_back(exchange.name);
    }
  }
  auto site = shaping::site_name(world_.providers, domain, hosts);
  if (known_.size() >= known_max) known_.clear();  // asked for again as they are needed
  known_.insert_or_assign(std::move(domain), Known{site, world_.loop.now() + known_for});
  co_return site;
}

bool Sites::is_one_set_of_hosts(std::string_view site) const {
  return shaping::provider_of_site(world_.providers, site) == nullptr;
}

}  // namespace tapal::delivery
