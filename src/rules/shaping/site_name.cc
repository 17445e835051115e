#include "rules/shaping/site_name.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tapal::shaping {
namespace {

constexpr std::string_view forwarded = " (forwarded)";

std::string_view without_origin(std::string_view site) {
  if (site.ends_with(forwarded)) site.remove_suffix(forwarded.size());
  return site;
}

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

bool is_own_way(std::string_view site) {
  const bool is_address = site.starts_with('[');
  return !is_address && without_origin(site).find_first_of(" :") != std::string_view::npos;
}

const Provider* provider_of_site(const ProviderTable& providers, std::string_view site) {
  return providers.find(without_origin(site));
}

}  // namespace tapal::shaping
