#include "services/delivery/options.h"

#include <algorithm>
#include <utility>

namespace tapal::delivery {

bool is_of(AddressFamily family, const IpAddress& address) {
  return family == AddressFamily::both || (family == AddressFamily::ipv4) == address.is_v4();
}

const Route* find_route(const RouteTable& routes, std::string_view domain) {
  if (const auto exact = routes.find(domain); exact != routes.end()) return &exact->second;
  for (auto dot = domain.find('.'); dot != std::string_view::npos;
       dot = domain.find('.', dot + 1)) {
    const auto wildcard = routes.find("*" + std::string(domain.substr(dot)));
    if (wildcard != routes.end()) return &wildcard->second;
  }
  const auto rest = routes.find("*");
  return rest == routes.end() ? nullptr : &rest->second;
}

shaping::Source usual_source(const Options& options) {
  return {.name = {},
          .ipv4 = options.source_ipv4,
          .ipv6 = options.source_ipv6,
          .ehlo_name = options.ehlo_name,
          .new_since = {},
          .system_chooses = true};
}

shaping::SourceOptions sources_of(const Options& options) {
  auto all = options.sources;
  for (auto& source : all.sources) {
    if (source.name.empty()) source = usual_source(options);
    if (source.ehlo_name.empty()) source.ehlo_name = options.ehlo_name;
  }
  const bool is_own = options.forward_source_ipv4 || options.forward_source_ipv6;
  if (!is_own || !all.forwarding_pool.empty()) return all;
  shaping::Pool others;
  for (const auto& source : all.sources) others.sources.push_back(source.name);
  all.pools.push_back(std::move(others));
  auto own = usual_source(options);
  own.name = forward_source;
  if (options.forward_source_ipv4) own.ipv4 = options.forward_source_ipv4;
  if (options.forward_source_ipv6) own.ipv6 = options.forward_source_ipv6;
  all.forwarding_pool = own.name;
  all.pools.push_back({own.name, {own.name}, {}, {}});
  all.sources.push_back(std::move(own));
  return all;
}

std::vector<IpAddress> source_addresses(const Options& options) {
  auto sources = sources_of(options).sources;
  sources.push_back(usual_source(options));
  std::vector<IpAddress> addresses;
  for (const auto& source : sources)
    for (const auto& address : {source.ipv4, source.ipv6})
      if (address && is_of(options.family, *address) &&
          std::ranges::find(addresses, *address) == addresses.end())
        addresses.push_back(*address);
  return addresses;
}

}  // namespace tapal::delivery
