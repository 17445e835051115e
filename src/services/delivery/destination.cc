#include "services/delivery/destination.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::delivery {
namespace {

using dns::Type;

// What was found on the way, so that an empty result can say why.
struct Search {
  std::vector<Host> hosts;
  std::optional<NoHost> trouble;
  std::string refused;       // the last address left out
  std::string out_of_reach;  // and the last one that the source cannot send to
};

enum class Trust : std::uint8_t { configured, from_dns };

bool may_use(FindHosts find, const IpAddress& address, Trust trust) {
  if (trust == Trust::configured || find.options.allow_private_addresses) return true;
  return !address.is_private() &&
         std::ranges::find(find.own.addresses, address) == find.own.addresses.end();
}

void add(FindHosts find, Host host, Trust trust, Search& search) {
  const auto& address = host.endpoint.address;
  const auto shown = host.name.starts_with('[') ? address.text()
                                                : fmt::format("{} [{}]", host.name, address.text());
  if (!may_use(find, address, trust))
    search.refused = shown;
  else if (trust == Trust::from_dns && !is_of(find.reach, address))
    search.out_of_reach = shown;
  else
    search.hosts.push_back(std::move(host));
}

Task<void> add_addresses(
    FindHosts find, std::string name, Endpoint to, Trust trust, Search& search) {
  for (const auto type : {Type::aaaa, Type::a}) {
    const auto family = find.options.family;
    if (family == (type == Type::a ? AddressFamily::ipv6 : AddressFamily::ipv4)) continue;
    auto found = co_await ask(find, name, type);
    if (auto* none = std::get_if<NoHost>(&found)) {
      search.trouble = std::move(*none);
      continue;
    }
    for (const auto& record : std::get<DnsAnswer>(found).records) {
      const auto* address = std::get_if<IpAddress>(&record.data);
      if (address == nullptr) continue;
      Host host{name, {*address, to.port}};
      add(find, std::move(host), trust, search);
    }
  }
}

Destination conclude(Search search, std::string_view domain, std::size_t hosts_max) {
  if (!search.hosts.empty()) {
    if (search.hosts.size() > hosts_max) search.hosts.resize(hosts_max);
    return Hosts{std::move(search.hosts)};
  }
  if (search.trouble) return *std::move(search.trouble);
  if (!search.out_of_reach.empty())
    return NoHost{
        "4.4.1",
        fmt::format("the mail of {} leads to {}, and no address to send there from can be "
                    "used: `tapal sources` tells why",
                    domain,
                    search.out_of_reach)};
  if (!search.refused.empty())
    return NoHost{
        "5.4.4",
        fmt::format("the mail of {} leads to {}, a private address or one of this server; "
                    "a route or delivery.allow_private_addresses permits that",
                    domain,
                    search.refused)};
  return NoHost{"5.4.4", fmt::format("no host that takes the mail of {} has an address", domain)};
}

Task<Destination> follow_route(FindHosts find, Route route, std::string domain) {
  if (!route.socket.empty())
    co_return Hosts{{{.name = "localhost", .endpoint = {}, .socket = route.socket}}};
  if (const auto address = IpAddress::from_text(route.host))
    co_return Hosts{{{address->smtp_literal(), {*address, route.port}}}};
  Search search;
  const Endpoint to{{}, route.port};
  co_await add_addresses(find, route.host, to, Trust::configured, search);
  auto found = conclude(std::move(search), domain, find.options.hosts_per_attempt_max);
  // What our own configuration names may be mended: mail waits for that.
  if (auto* none = std::get_if<NoHost>(&found)) none->status.front() = '4';
  co_return found;
}

Destination literal(FindHosts find, std::string_view domain) {
  auto text = domain.substr(1, domain.size() - 2);
  if (text.starts_with("ipv6:") || text.starts_with("IPv6:")) text.remove_prefix(5);
  Search search;
  if (const auto address = IpAddress::from_text(text))
    add(find, {std::string(domain), {*address, find.options.port}}, Trust::from_dns, search);
  return conclude(std::move(search), domain, 1);
}

// "host", "host:port" or "[2001:db8::1]:port" as a route's; false: neither.
bool read_place(std::string_view target, Route& route) {
  if (const auto endpoint = Endpoint::from_text(target)) {
    route.host = endpoint->address.text();
    route.port = endpoint->port;
    return true;
  }
  if (target.starts_with('[') && target.ends_with(']'))
    target = target.substr(1, target.size() - 2);
  else if (const auto colon = target.rfind(':');
           colon != std::string_view::npos && !IpAddress::from_text(target)) {
    const auto port = text::to_number<std::uint16_t>(target.substr(colon + 1));
    if (!port || *port == 0) return false;
    route.port = *port;
    target = target.substr(0, colon);
  }
  route.host = target;
  return IpAddress::from_text(target).has_value() || text::check_hostname(target).has_value();
}

// Not 25 (RFC 2033 section 5); as in [routes].
constexpr std::uint16_t lmtp_port = 24;

Result<Route> route_of(const mail::Handover& handover, const Options& options) {
  constexpr std::string_view unix_prefix = "unix:";
  Route route{.host = {}, .port = options.port, .tls = options.tls};
  if (handover.kind == mail::Handover::Kind::lmtp) {
    route.protocol = Protocol::lmtp;
    route.port = lmtp_port;
    if (handover.target.starts_with(unix_prefix)) {
      route.tls = TlsMode::never;
      route.socket = handover.target.substr(unix_prefix.size());
      if (route.socket.starts_with('/')) return route;
    }
  }
  if (!read_place(handover.target, route))
    return fail(
        Code::invalid,
        fmt::format("\"{}\" is no place to send to: {}",
                    handover.target,
                    route.protocol == Protocol::lmtp ? "expected unix:/path/to/socket or host:port"
                                                     : "expected a host or host:port"));
  return route;
}

}  // namespace

std::string Host::text() const {
  return socket.empty() ? fmt::format("{} {}", name, endpoint.text()) : "unix:" + socket;
}

Result<Way> way_of(const Options& options, const mail::Recipient& recipient) {
  Way way{recipient.address.domain, {}};
  if (recipient.handover.kind != mail::Handover::Kind::usual) {
    TAPAL_TRY(way.route, route_of(recipient.handover, options));
  } else if (const auto* route = find_route(options.routes, way.domain)) {
    way.route = *route;
  }
  return way;
}

Task<Destination> find_hosts(FindHosts find, Way way) {
  const auto domain = std::move(way.domain);
  if (way.route) co_return co_await follow_route(find, *std::move(way.route), domain);
  if (domain.starts_with('[')) co_return literal(find, domain);
  auto found = co_await find_exchanges(find, domain);
  if (auto* none = std::get_if<NoHost>(&found)) co_return std::move(*none);
  Search search;
  const auto enough = find.options.hosts_per_attempt_max;
  for (const auto& exchange : std::get<std::vector<Exchange>>(found)) {
    if (search.hosts.size() >= enough) break;
    if (exchange.name.empty()) continue;
    const Endpoint to{{}, find.options.port};
    co_await add_addresses(find, exchange.name, to, Trust::from_dns, search);
  }
  co_return conclude(std::move(search), domain, enough);
}

}  // namespace tapal::delivery
