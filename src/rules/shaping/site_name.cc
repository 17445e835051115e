#include "rules/shaping/site_name.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tapal::shaping {
namespace {

constexpr std::string_view forwarded = " (forwarded)";

}  // namespace

std::string site_name(const ProviderTable& providers,
                      std::string_view domain,
                      std::span<const std::string> mx_hosts) {
  const Provider* provider = providers.of_hosts(mx_hosts);
  if (provider == nullptr) provider = providers.of_domain(domain);
  if (provider != nullptr) return provider->name;
  if (mx_hosts.empty()) return std::string(domain);
  std::vector<std::string_view> names(mx_hosts.begin(), mx_hosts.end());
  std::ranges::sort(names);
  return fmt::format("{}", fmt::join(names, ","));
}

std::string forwarded_site(std::string_view site) { return fmt::format("{}{}", site, forwarded); }

const Provider* provider_of_site(const ProviderTable& providers, std::string_view site) {
  if (site.ends_with(forwarded)) site.remove_suffix(forwarded.size());
  return providers.find(site);
}

}  // namespace tapal::shaping
