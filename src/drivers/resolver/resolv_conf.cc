#include "drivers/resolver/resolv_conf.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal {
namespace {

constexpr std::uint16_t dns_port = 53;

}  // namespace

std::vector<Endpoint> servers_of_resolv_conf(std::string_view text) {
  std::vector<Endpoint> servers;
  for (const std::string_view line : text::split(text, '\n')) {
    const auto words = text::words(line);
    if (words.size() < 2 || words[0] != "nameserver" || servers.size() == name_servers_max)
      continue;
    auto server = Endpoint::from_text(words[1]);
    if (const auto address = IpAddress::from_text(words[1]); address && !server)
      server = Endpoint{*address, dns_port};
    if (server && server->port != 0 && std::ranges::find(servers, *server) == servers.end())
      servers.push_back(*server);
  }
  if (servers.empty()) servers.push_back({IpAddress::v4({127, 0, 0, 1}), dns_port});
  return servers;
}

}  // namespace tapal
