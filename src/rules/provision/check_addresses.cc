// The host: its name, its addresses, and the names of those.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocols/mailauth/reverse_name.h"
#include "rules/provision/checks.h"
#include "values/dns/name.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using mailauth::IprevVerdict;

std::string_view family(const IpAddress& address) { return address.is_v4() ? "IPv4" : "IPv6"; }

std::string hoster_fix(const IpAddress& address, const std::string& host) {
  return fmt::format(
      "at whoever rents out this machine, set the reverse name (PTR, rDNS) of {} to {}",
      address.text(),
      host);
}

// Without a good name Gmail refuses mail from an IPv6 address (550 5.7.25); IPv4 goes on.
std::string ptr_fix(const IpAddress& address, const std::string& host) {
  auto fix = hoster_fix(address, host);
  if (!address.is_v4())
    fix += "\nuntil then send over IPv4 only: in tapal.toml, [delivery] family = \"ipv4\"";
  return fix;
}

std::optional<mailauth::IprevResult> iprev(Look& look, const IpAddress& address) {
  mailauth::ReverseNameCheck check(address);
  if (!look.drive(check)) return {};
  return check.result();
}

// "static-1-2-3-4.provider.example": the address in the name, in decimal or without its dots.
bool is_generic(std::string_view name, const IpAddress& address) {
  constexpr std::array<std::string_view, 7> words{
      "dynamic", "dyn-", "dhcp", "dialup", "dsl", "pool-", "broadband"};
  if (std::ranges::any_of(words, [&](auto word) { return name.find(word) != name.npos; }))
    return true;
  if (!address.is_v4()) return false;
  std::size_t octets = 0;
  for (std::size_t i = 12; i < 16; ++i) {
    const auto octet = fmt::format("{}", address.bytes.at(i));
    std::size_t at = name.find(octet);
    for (; at != name.npos; at = name.find(octet, at + 1)) {
      const bool begins = at == 0 || !text::is_digit(name[at - 1]);
      const auto end = at + octet.size();
      if (begins && (end == name.size() || !text::is_digit(name[end]))) break;
    }
    octets += at != name.npos ? 1U : 0U;
  }
  return octets >= 3;
}

}  // namespace

void check_host_name(Look& look) {
  const auto& host = look.home.host;
  const auto labels = dns::labels_of(host);
  constexpr std::array<std::string_view, 4> inner{"localhost", "localdomain", "local", "internal"};
  const bool is_inner = labels.empty() || std::ranges::find(inner, labels.back()) != inner.end();
  if (labels.size() >= 2 && !is_inner) return look.ok(host, "a full name");
  look.error(host,
             {.seen = "no name that others could look up",
              .expected = "a name in DNS, such as mail." + look.home.domain,
              .fix = fmt::format("in tapal.toml: hostname = \"mail.{}\"", look.home.domain)});
}

void check_host_addresses(Look& look) {
  const auto& host = look.home.host;
  const auto published = addresses_at(look, host);
  if (!published) return;
  if (published->empty())
    return look.error(host,
                      {.seen = "it has no address in DNS",
                       .expected = "the addresses that mail leaves from",
                       .fix = look.home.egress.empty()
                                  ? "publish an A record (and AAAA) for it"
                                  : publish(look,
                                            {host,
                                             mailauth::address_type(look.home.egress.front()),
                                             std::chrono::seconds(3600),
                                             look.home.egress.front()})});
  for (const auto& address : look.home.egress) {
    if (std::ranges::find(*published, address) != published->end()) {
      look.ok(address.text(), "an address of " + host);
      continue;
    }
    look.error(
        address.text(),
        {.seen = fmt::format("mail leaves from it, and {} does not have it", host),
         .expected = "each address that mail leaves from, in DNS",
         .fix = publish(
             look, {host, mailauth::address_type(address), std::chrono::seconds(3600), address})});
  }
}

void check_private_addresses(Look& look) {
  const auto& egress = look.home.egress;
  if (egress.empty())
    return look.warn(
        look.home.host,
        {.seen = "this machine has no public address of its own: it is behind a translator (NAT)",
         .expected = "to know which addresses others see",
         .fix = fmt::format("tell: tapal doctor {} --address ADDRESS", look.home.domain)});
  for (const auto& address : egress) {
    if (!address.is_private() || look.home.on_test_network) {
      look.ok(address.text(), "public");
    } else {
      look.error(address.text(),
                 {.seen = "a private address",
                  .expected = "one that the world can answer to",
                  .fix = "set delivery.source_ipv4 and source_ipv6 to public addresses of this "
                         "machine"});
    }
  }
}

void check_ipv6(Look& look) {
  const auto& egress = look.home.egress;
  const auto found = std::ranges::find_if(egress, [](const auto& one) { return !one.is_v4(); });
  if (found != egress.end()) return look.ok(found->text(), "IPv6 is there");
  look.info(
      look.home.host,
      {.seen = "no IPv6 address to send from",
       .expected = "one; some receivers are easier to reach over it, none demands it",
       .fix = "most hosters give one for nothing: switch it on there, then publish AAAA and a "
              "reverse name"});
}

void check_reverse_name(Look& look) {
  for (const auto& address : look.home.egress) {
    const auto result = iprev(look, address);
    if (!result) continue;
    const auto subject = address.text();
    if (result->verdict == IprevVerdict::pass) {
      look.ok(subject, result->reason);
    } else if (result->verdict == IprevVerdict::temperror) {
      look.cannot_tell(subject, result->reason);
    } else {
      look.error(subject,
                 {.seen = result->reason,
                  .expected = fmt::format("the name {}, which leads back to it", look.home.host),
                  .fix = ptr_fix(address, look.home.host)});
    }
  }
}

void check_reverse_name_is_host(Look& look) {
  for (const auto& address : look.home.egress) {
    const auto result = iprev(look, address);
    if (!result || result->names.empty()) continue;  // ptr.confirmed tells that
    if (std::ranges::find(result->names, look.home.host) != result->names.end()) {
      look.ok(address.text(), look.home.host);
      continue;
    }
    look.warn(address.text(),
              {.seen = fmt::format("its name is {}", fmt::join(result->names, ", ")),
               .expected = fmt::format("{}, as the server greets with", look.home.host),
               .fix = hoster_fix(address, look.home.host)});
  }
}

void check_generic_reverse_name(Look& look) {
  for (const auto& address : look.home.egress) {
    const auto* fact = look.dns(dns::reverse_name(address), dns::Type::ptr);
    if (fact == nullptr) continue;
    for (const auto& target : data_of<dns::NameTarget>(*fact)) {
      if (!is_generic(target.name, address)) {
        look.ok(address.text(), target.name);
        continue;
      }
      look.warn(address.text(),
                {.seen = fmt::format("{} looks like a name for customers without servers ({})",
                                     target.name,
                                     family(address)),
                 .expected = "a name of your own: filters count the other kind against you",
                 .fix = hoster_fix(address, look.home.host)});
    }
  }
}

}  // namespace tapal::provision
