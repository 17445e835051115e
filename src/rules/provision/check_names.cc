// The resolver, DNSSEC, and where the domain's mail goes.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/provision/checks.h"

namespace tapal::provision {
namespace {

using Status = dns::LookupReply::Status;

bool receives_here(const Look& look) {
  return look.home.role == account::Role::receive || look.home.role == account::Role::send_forward;
}

bool overlaps(const std::vector<IpAddress>& some, const std::vector<IpAddress>& others) {
  return std::ranges::any_of(
      some, [&](const auto& one) { return std::ranges::find(others, one) != others.end(); });
}

// Whether it is us: by name, or by an address that we have.
std::optional<bool> is_us(Look& look,
                          const std::string& exchange,
                          const std::vector<IpAddress>& addresses) {
  if (exchange == look.home.host) return true;
  const auto own = addresses_at(look, look.home.host);
  if (!own) return {};
  return overlaps(addresses, *own) || overlaps(addresses, look.home.egress);
}

void look_at_exchange(Look& look, const std::string& exchange, bool& leads_here) {
  const auto* fact = look.dns(exchange, dns::Type::a);
  const auto addresses = addresses_at(look, exchange);
  if (fact == nullptr || !addresses) return;
  if (IpAddress::from_text(exchange))
    return look.error(exchange,
                      {.seen = "the MX is an address",
                       .expected = "a name (RFC 5321 section 5.1)",
                       .fix = "publish an A record for a name, and that name as MX"});
  if (!fact->canonical_name.empty() && fact->canonical_name != exchange)
    look.error(exchange,
               {.seen = "the MX is an alias (CNAME) of " + fact->canonical_name,
                .expected = "a name with addresses of its own (RFC 2181 section 10.3)",
                .fix = "make the MX " + fact->canonical_name +
                       ", or give this name A and AAAA records in place of the CNAME"});
  if (addresses->empty())
    return look.error(exchange,
                      {.seen = "the MX has no address",
                       .expected = "A, and AAAA where there is IPv6",
                       .fix = "publish its addresses, or name another MX"});
  const auto us = is_us(look, exchange, *addresses);
  leads_here = leads_here || us.value_or(true);
  if (us.value_or(false)) look.ok(exchange, "ours");
}

}  // namespace

void check_resolver(Look& look) {
  const auto* root = look.dns("", dns::Type::ns);
  if (root == nullptr) return;
  if (has_failed(*root)) {
    // A server of a closed network has no root to show; then the domain itself has to do.
    const auto* domain = look.dns(look.home.domain, dns::Type::soa);
    if (domain == nullptr) return;
    if (has_failed(*domain))
      return look.error(
          "DNS",
          {.seen = "no answers: neither about the root nor about " + look.home.domain,
           .expected = "answers",
           .fix = "is UDP and TCP port 53 open to the outside? else name a resolver: in "
                  "tapal.toml, [resolver] servers = [\"9.9.9.9:53\"]"});
  }
  if (root->is_secure) return look.ok("DNS", "answers, with DNSSEC checked");
  look.info("DNS",
            {.seen = "answers, without DNSSEC",
             .expected = "DNSSEC, for DANE when sending",
             .fix = "leave resolver.servers empty, so that tapal asks the name servers itself"});
}

void check_dnssec(Look& look) {
  const auto* soa = look.dns(look.home.domain, dns::Type::soa);
  if (soa == nullptr) return;
  if (has_failed(*soa)) return look.cannot_tell(look.home.domain, "SOA " + look.home.domain);
  if (soa->is_secure) return look.ok(look.home.domain, "signed, and the chain holds");
  look.info(look.home.domain,
            {.seen = "not signed",
             .expected = "DNSSEC keeps forgers from redirecting your mail, and allows DANE",
             .fix = "switch it on at the DNS provider, then enter the DS record at the registrar"});
}

void check_mx(Look& look) {
  const auto& domain = look.home.domain;
  const auto* mx = look.dns(domain, dns::Type::mx);
  if (mx == nullptr) return;
  if (has_failed(*mx)) return look.cannot_tell(domain, "MX " + domain);
  const auto exchanges = data_of<dns::MailExchange>(*mx);
  const dns::Record wanted{
      domain, dns::Type::mx, std::chrono::seconds(3600), dns::MailExchange{10, look.home.host}};
  if (mx->reply.status == Status::no_such_name)
    return look.error(domain,
                      {.seen = "there is no such domain in DNS",
                       .expected = "a registered domain, delegated to name servers",
                       .fix = "look at the registrar whether it is paid for and has name servers"});
  if (exchanges.empty())
    return look.error(domain,
                      {.seen = "no MX: many senders do not deliver then, and bounces are lost",
                       .expected = "10 " + look.home.host,
                       .fix = publish(look, wanted)});
  if (exchanges.size() == 1 && exchanges.front().exchange.empty())
    return look.error(domain,
                      {.seen = "a null MX: the domain says that it takes no mail (RFC 7505)",
                       .expected = "10 " + look.home.host,
                       .fix = publish(look, wanted)});
  std::vector<std::string> names;
  names.reserve(exchanges.size());
  for (const auto& one : exchanges) names.push_back(one.exchange);
  look.ok(domain, fmt::format("{}", fmt::join(names, ", ")));
}

void check_mx_targets(Look& look) {
  constexpr std::size_t exchanges_max = 10;
  const auto* mx = look.dns(look.home.domain, dns::Type::mx);
  if (mx == nullptr) return;
  auto exchanges = data_of<dns::MailExchange>(*mx);
  if (exchanges.size() > exchanges_max) exchanges.resize(exchanges_max);
  std::erase_if(exchanges, [](const auto& one) { return one.exchange.empty(); });
  if (exchanges.empty()) return;  // mx.record tells that
  bool leads_here = false;
  for (const auto& one : exchanges) look_at_exchange(look, one.exchange, leads_here);
  if (leads_here) return;
  if (receives_here(look))
    look.error(look.home.domain,
               {.seen = "its mail goes to servers that are not this one",
                .expected = look.home.host,
                .fix = publish(look,
                               {look.home.domain,
                                dns::Type::mx,
                                std::chrono::seconds(3600),
                                dns::MailExchange{10, look.home.host}}) +
                       "\nor, where the mail is to stay there: role = \"send\" in domain.toml"});
  else
    look.ok(look.home.domain, "elsewhere, as its role says");
}

}  // namespace tapal::provision
