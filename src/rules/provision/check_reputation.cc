// What others think of the addresses and the domain: block lists, age.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/provision/checks.h"
#include "values/dns/name.h"
#include "values/text/date.h"

namespace tapal::provision {
namespace {

constexpr std::chrono::days young_days{42};  // RFC has no word on it; filters count six weeks
constexpr std::chrono::days expiry_days{30};

enum class Listing : std::uint8_t { none, listed, refused, unknown };

// 127.255.255.0/24 says that the list does not answer whoever asks (Spamhaus: 252 a typing error,
// 254 an open resolver, 255 too many questions): it never means "listed". 127.0.0.1 and what is not
// in 127/8 is the answer of a list that is given up, or of a resolver that invents addresses.
Listing listing_of(const DnsFact& fact) {
  if (has_failed(fact)) return Listing::unknown;
  auto listing = Listing::none;
  for (const auto& address : data_of<IpAddress>(fact)) {
    if (!address.is_v4() || address.bytes[12] != 127) continue;
    if (address.bytes[13] == 255 && address.bytes[14] == 255) return Listing::refused;
    if (address == IpAddress::v4({127, 0, 0, 1})) continue;
    listing = Listing::listed;
  }
  return listing;
}

// 4.3.2.1, or the nibbles of an IPv6 address (RFC 5782 section 2).
std::string reversed(const IpAddress& address) {
  const auto name = dns::reverse_name(address);
  const std::string_view suffix = address.is_v4() ? ".in-addr.arpa" : ".ip6.arpa";
  return name.substr(0, name.size() - suffix.size());
}

struct Asked {
  std::string subject;
  std::string label;  // in front of the list's name
};

void ask_lists(Look& look, const Asked& asked, const std::vector<std::string>& lists) {
  std::vector<std::string> silent;
  bool is_complete = true;
  bool is_listed = false;
  for (const auto& list : lists) {
    const auto* fact = look.dns(fmt::format("{}.{}", asked.label, list), dns::Type::a);
    is_complete = is_complete && fact != nullptr;
    if (fact == nullptr) continue;
    const auto listing = listing_of(*fact);
    if (listing == Listing::refused || listing == Listing::unknown) silent.push_back(list);
    if (listing != Listing::listed) continue;
    is_listed = true;
    Advice advice{
        .seen = "listed by " + list,
        .expected = "not listed",
        .fix = fmt::format("find the reason at https://check.spamhaus.org or the site of {}, "
                           "end it, then ask there to be taken off",
                           list)};
    if (&list == &lists.front())
      look.error(asked.subject, advice);
    else
      look.warn(asked.subject, advice);
  }
  if (!is_complete || is_listed) return;
  if (silent.size() == lists.size() && !lists.empty())
    return look.info(
        asked.subject,
        {.seen = fmt::format("{} do not answer this resolver (not listed, not unlisted)",
                             fmt::join(silent, ", ")),
         .expected = "an answer: lists refuse questions through large public resolvers",
         .fix = "leave resolver.servers empty, so that tapal asks them itself"});
  look.ok(asked.subject, fmt::format("on none of {}", lists.size() - silent.size()));
}

std::string registered_domain(const Look& look) {
  return look.suffixes.registrable(look.home.domain).value_or(look.home.domain);
}

}  // namespace

void check_address_lists(Look& look) {
  for (const auto& address : look.home.egress)
    ask_lists(look, {address.text(), reversed(address)}, look.home.outside.address_lists);
}

void check_domain_lists(Look& look) {
  const auto domain = registered_domain(look);
  ask_lists(look, {domain, domain}, look.home.outside.domain_lists);
}

void check_domain_age(Look& look) {
  const auto domain = registered_domain(look);
  const auto* fact = look.registration(domain);
  if (fact == nullptr) return;
  if (!fact->registered)
    return look.info(
        domain,
        {.seen = "its age is not known: " +
                 (fact->trouble.empty() ? "the registry does not tell" : fact->trouble),
         .expected = "a date, by RDAP"});
  const auto age = std::chrono::floor<std::chrono::days>(look.home.now - *fact->registered);
  if (age >= young_days) return look.ok(domain, "since " + text::rfc3339_day(*fact->registered));
  look.warn(domain,
            {.seen = fmt::format("registered {} days ago", age.count()),
             .expected = fmt::format("{} days: filters distrust new domains", young_days.count()),
             .fix = "begin with few messages a day to people who expect them"});
}

void check_domain_expiry(Look& look) {
  const auto domain = registered_domain(look);
  const auto* fact = look.registration(domain);
  if (fact == nullptr || !fact->expires) return;
  const auto fix = "renew it at its registrar";
  if (*fact->expires <= look.home.now)
    return look.error(domain,
                      {.seen = "it expired on " + text::rfc3339_day(*fact->expires),
                       .expected = "a domain that is paid for",
                       .fix = fix});
  if (*fact->expires - look.home.now < expiry_days)
    return look.warn(domain,
                     {.seen = "it expires on " + text::rfc3339_day(*fact->expires),
                      .expected = "a month's time at least",
                      .fix = fix});
  look.ok(domain, "until " + text::rfc3339_day(*fact->expires));
}

}  // namespace tapal::provision
