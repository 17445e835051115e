// Ports, out and in, and what a stranger meets at ours.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/provision/checks.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using Reach = SmtpFact::Reach;
using Door = OwnPort::Door;

struct BigServer {
  std::string name;
  SmtpProbe probe;
};

// One server of each big domain in this family; nothing while DNS is still being asked.
std::optional<std::vector<BigServer>> big_servers(Look& look, const IpAddress& from) {
  const auto type = from.is_v4() ? dns::Type::a : dns::Type::aaaa;
  std::vector<BigServer> servers;
  bool is_complete = true;
  for (const auto& domain : look.home.big_domains) {
    const auto* mx = look.dns(domain, dns::Type::mx);
    is_complete = is_complete && mx != nullptr;
    if (mx == nullptr) continue;
    auto exchanges = data_of<dns::MailExchange>(*mx);
    std::ranges::sort(exchanges);
    if (exchanges.empty() || exchanges.front().exchange.empty()) continue;
    const auto& name = exchanges.front().exchange;
    const auto* addresses = look.dns(name, type);
    is_complete = is_complete && addresses != nullptr;
    if (addresses == nullptr) continue;
    const auto all = data_of<IpAddress>(*addresses);
    if (all.empty()) continue;
    SmtpProbe probe{{all.front(), look.home.delivery_port}, {}, {}, SmtpProbe::Manner::greeting};
    if (look.home.egress_is_bound) probe.from = from;
    servers.push_back({name, std::move(probe)});
  }
  if (!is_complete) return {};
  return servers;
}

std::string blocked_advice(bool is_silent) {
  return fmt::format(
      "{}; ask the hoster to open it. A text for the ticket: \"Please open outbound TCP port 25 "
      "for "
      "this server. I run a mail server for my own domain, with reverse DNS, SPF, DKIM and DMARC "
      "in "
      "place, and send no bulk mail.\"\nuntil then send through a relay: in tapal.toml, "
      "[routes.\"*\"] with its host",
      is_silent ? "port 25 is filtered on the way, as many hosters do for new customers"
                : "connections to port 25 are refused on the way");
}

void look_out(Look& look, const IpAddress& from) {
  const auto servers = big_servers(look, from);
  if (!servers) return;
  std::vector<std::string> reached;
  std::vector<std::string> troubles;
  bool is_silent = false;
  bool is_complete = true;
  for (const auto& [name, probe] : *servers) {
    const auto* fact = look.smtp(probe);
    is_complete = is_complete && fact != nullptr;
    if (fact == nullptr) continue;
    is_silent = is_silent || fact->reach == Reach::silent;
    if (fact->reach == Reach::answered && fact->greeting.starts_with("2"))
      reached.push_back(name);
    else
      troubles.push_back(
          fmt::format("{}: {}", name, fact->trouble.empty() ? fact->greeting : fact->trouble));
  }
  if (!is_complete) return;
  const auto subject = "from " + from.text();
  if (servers->empty()) {
    if (from.is_v4()) look.cannot_tell(subject, "no big mail server could be found in DNS");
  } else if (reached.empty()) {
    look.error(
        subject,
        {.seen = fmt::format("no mail server can be reached ({})", fmt::join(troubles, "; ")),
         .expected = fmt::format("a greeting at port {}", look.home.delivery_port),
         .fix = blocked_advice(is_silent)});
  } else if (!troubles.empty()) {
    look.warn(subject,
              {.seen = fmt::format("{}", fmt::join(troubles, "; ")),
               .expected = "a greeting from each",
               .fix = "look whether it stays so; a greeting with 5xx tells the reason"});
  } else {
    look.ok(subject, fmt::format("{}", fmt::join(reached, ", ")));
  }
}

const OwnService* first_answering(const std::vector<OwnService>& services, Door door) {
  const auto found = std::ranges::find_if(services, [door](const OwnService& one) {
    return one.port.door == door && one.fact->reach == Reach::answered;
  });
  return found == services.end() ? nullptr : &*found;
}

bool is_trusted(const Look& look, const IpAddress& client) {
  return std::ranges::any_of(look.home.trusted_networks,
                             [&](const IpNetwork& one) { return one.contains(client); });
}

}  // namespace

void check_port_25_out(Look& look) {
  if (!look.home.smarthost.empty())
    return look.info(look.home.smarthost,
                     {.seen = "mail to others leaves through this relay",
                      .expected = "nothing: port 25 is not needed then"});
  bool seen_v4 = false;
  bool seen_v6 = false;
  for (const auto& address : look.home.egress) {
    auto& seen = address.is_v4() ? seen_v4 : seen_v6;
    if (!std::exchange(seen, true) || look.home.egress_is_bound) look_out(look, address);
  }
}

// From this machine itself: a firewall in front of it is not seen.
void check_own_ports(Look& look) {
  const auto services = own_services(look);
  if (!services) return;
  for (const auto& service : *services) {
    if (service.fact->reach == Reach::answered) {
      look.ok(service.text(), "answers");
      continue;
    }
    look.error(
        service.text(),
        {.seen = service.fact->reach == Reach::refused ? "nobody listens" : "no answer",
         .expected = "the server",
         .fix = "is the server running (systemctl status tapal)? does it listen there (listen.* in "
                "tapal.toml)? does the firewall let it in (ufw allow " +
                fmt::format("{}/tcp)?", service.port.port)});
  }
}

void check_greeting(Look& look) {
  const auto services = own_services(look);
  if (!services) return;
  for (const auto& service : *services) {
    const auto& fact = *service.fact;
    if (fact.reach != Reach::answered || fact.greeting.empty()) continue;
    const auto words = text::words(fact.greeting);
    const auto greeted = words.size() > 1 ? words[1] : std::string_view();
    if (text::equals_ignoring_case(greeted, look.home.host)) {
      look.ok(service.text(), std::string(greeted));
      continue;
    }
    look.warn(
        service.text(),
        {.seen = "the greeting is \"" + text::printable(fact.greeting, 100) + "\"",
         .expected = "220 " + look.home.host,
         .fix = "another server answers there, or hostname in tapal.toml was changed without a "
                "restart: systemctl restart tapal"});
  }
}

void check_auth_in_clear(Look& look) {
  const auto services = own_services(look);
  if (!services) return;
  for (const auto& service : *services) {
    if (service.fact->reach != Reach::answered || service.port.door == Door::submissions) continue;
    if (!service.fact->offers_auth_in_clear) {
      look.ok(service.text(), "no AUTH before TLS");
      continue;
    }
    look.error(service.text(),
               {.seen = "AUTH is offered in clear: passwords would cross the network readable",
                .expected = "AUTH after STARTTLS only (RFC 8314)",
                .fix = "tapal never offers it: find out which program listens there (ss -ltnp)"});
  }
}

void check_open_relay(Look& look) {
  const auto services = own_services(look);
  if (!services) return;
  const auto* relay = first_answering(*services, Door::relay);
  if (relay == nullptr) return;  // port.in tells that
  for (const auto& service : *services) {
    const auto& fact = *service.fact;
    if (service.port.door != Door::relay || fact.foreign_recipient_code == 0) continue;
    if (fact.foreign_recipient_code >= 400) {
      look.ok(service.text(), fmt::format("refused with {}", fact.foreign_recipient_code));
    } else if (is_trusted(look, fact.local)) {
      look.info(
          service.text(),
          {.seen = fmt::format("{} is of relay.trusted_networks, so it may", fact.local.text()),
           .expected = "a look from outside, to be sure"});
    } else {
      look.error(
          service.text(),
          {.seen = "a stranger's mail to a stranger is taken: an open relay",
           .expected = "a refusal",
           .fix = "name only your own networks in relay.trusted_networks of tapal.toml, then "
                  "systemctl restart tapal"});
    }
  }
}

}  // namespace tapal::provision
