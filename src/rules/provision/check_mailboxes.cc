// Who gets the mail: the roles that every domain has, and what is forwarded.
#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "rules/provision/checks.h"

namespace tapal::provision {
namespace {

using Status = dns::LookupReply::Status;

constexpr std::size_t domains_max = 50;

// Domains that mail is forwarded to, each with an alias that leads there.
std::map<std::string, const Forward*> forward_domains(const Home& home) {
  std::map<std::string, const Forward*> domains;
  for (const auto& one : home.forwards) {
    if (one.to_domain.starts_with('[') || domains.size() == domains_max) continue;
    domains.emplace(one.to_domain, &one);
  }
  return domains;
}

// Its servers, best first; its own name where it has no MX. Nothing while not known.
std::optional<std::vector<std::string>> servers_of(Look& look, const std::string& domain) {
  const auto* mx = look.dns(domain, dns::Type::mx);
  if (mx == nullptr) return {};
  auto exchanges = data_of<dns::MailExchange>(*mx);
  std::ranges::sort(exchanges);
  std::vector<std::string> names;
  names.reserve(exchanges.size() + 1);
  for (const auto& one : exchanges) names.push_back(one.exchange);
  if (names.empty()) names.push_back(domain);
  return names;
}

std::string alias_fix(const std::string& from) {
  return fmt::format("tapal alias del {0}, then tapal alias add {0} ANOTHER", from);
}

}  // namespace

void check_roles(Look& look) {
  const auto& home = look.home;
  if (home.role == account::Role::send || home.role == account::Role::backup_mx)
    return look.ok(home.domain, "its MX is elsewhere");
  constexpr std::array<std::string_view, 2> roles{"postmaster", "abuse"};
  for (const auto role : roles) {
    const auto address = fmt::format("{}@{}", role, home.domain);
    const auto end = home.where_goes(address);
    if (end.way == Delivery::Way::delivered) {
      look.ok(address, end.text);
      continue;
    }
    Advice advice{
        .seen = end.text,
        .expected = "somebody who reads it (RFC 2142, RFC 5321 section 4.5.1)",
        .fix = fmt::format("tapal alias add {} {}",
                           address,
                           home.first_user.empty() ? "USER@" + home.domain : home.first_user)};
    if (!home.first_user.empty())
      advice.repair = Repair{Repair::Kind::add_alias, address, home.first_user};
    look.error(address, advice);
  }
}

void check_forward_targets(Look& look) {
  for (const auto& [domain, forward] : forward_domains(look.home)) {
    const auto* mx = look.dns(domain, dns::Type::mx);
    const auto addresses = addresses_at(look, domain);
    if (mx == nullptr || !addresses) continue;
    const auto exchanges = data_of<dns::MailExchange>(*mx);
    const bool is_null = exchanges.size() == 1 && exchanges.front().exchange.empty();
    if (has_failed(*mx)) {
      look.cannot_tell(domain, "MX " + domain);
    } else if (is_null || (exchanges.empty() && addresses->empty())) {
      look.error(
          domain,
          {.seen = fmt::format(
               "{} is forwarded to {}, and {} takes no mail", forward->from, forward->to, domain),
           .expected = "a domain that takes mail",
           .fix = alias_fix(forward->from)});
    } else {
      look.ok(domain, exchanges.empty() ? "its own address" : exchanges.front().exchange);
    }
  }
}

void check_forward_loops(Look& look) {
  const auto own = addresses_at(look, look.home.host);
  if (!own) return;
  for (const auto& forward : look.home.forwards) {
    const auto end = look.home.where_goes(forward.from);
    if (end.way == Delivery::Way::endless)
      look.error(forward.from,
                 {.seen = end.text, .expected = "an end", .fix = alias_fix(forward.from)});
  }
  for (const auto& [domain, forward] : forward_domains(look.home)) {
    const auto servers = servers_of(look, domain);
    if (!servers) continue;
    bool leads_back = false;
    bool is_complete = true;
    for (const auto& server : *servers) {
      const auto addresses = addresses_at(look, server);
      is_complete = is_complete && addresses.has_value();
      leads_back = leads_back || server == look.home.host ||
                   (addresses && std::ranges::any_of(*addresses, [&](const auto& one) {
                      return std::ranges::find(*own, one) != own->end();
                    }));
    }
    if (leads_back) {
      look.error(domain,
                 {.seen = fmt::format("{} is forwarded to {}, whose mail comes back to this server",
                                      forward->from,
                                      forward->to),
                  .expected = "a domain that is elsewhere, or one of this server",
                  .fix = fmt::format("tapal init {}, or {}", domain, alias_fix(forward->from))});
    } else if (is_complete) {
      look.ok(domain, "leads away");
    }
  }
}

}  // namespace tapal::provision
