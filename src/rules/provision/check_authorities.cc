// Whether all name servers of the domain say the same: one that lags gives old answers to some.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/provision/checks.h"

namespace tapal::provision {
namespace {

using Server = AuthoritiesFact::Server;

std::set<dns::Data> data_at(const Server& server) {
  std::set<dns::Data> all;
  for (const auto& record : server.records) all.insert(record.data);
  return all;
}

// Those that say something else than the first that answers.
std::vector<std::string> lagging(const AuthoritiesFact& fact) {
  std::vector<std::string> names;
  const auto first = std::ranges::find_if(
      fact.servers, [](const Server& server) { return server.trouble.empty(); });
  if (first == fact.servers.end()) return names;
  for (const auto& server : fact.servers)
    if (server.trouble.empty() && data_at(server) != data_at(*first)) names.push_back(server.name);
  return names;
}

void look_at(Look& look, const dns::Lookup& lookup, std::set<std::string>& silent) {
  const auto* fact = look.authorities(lookup);
  if (fact == nullptr) return;
  const auto subject = fmt::format("{} {}", dns::type_text(lookup.type), lookup.name);
  if (!fact->trouble.empty()) return look.cannot_tell(subject, fact->trouble);
  for (const auto& server : fact->servers)
    if (!server.trouble.empty()) silent.insert(fmt::format("{} ({})", server.name, server.trouble));
  if (const auto names = lagging(*fact); !names.empty())
    return look.error(subject,
                      {.seen = fmt::format("{} of {} say something else than the others",
                                           fmt::join(names, ", "),
                                           fact->servers.size()),
                       .expected = "the same from all name servers of " + fact->zone,
                       .fix = "wait an hour after a change; when it stays so, tell the DNS "
                              "provider which ones lag"});
  look.ok(subject, fmt::format("the same from {} servers", fact->servers.size()));
}

}  // namespace

void check_authorities(Look& look) {
  const auto& domain = look.home.domain;
  std::vector<dns::Lookup> lookups{{domain, dns::Type::mx},
                                   {domain, dns::Type::txt},
                                   {"_dmarc." + domain, dns::Type::txt},
                                   {look.home.host, dns::Type::a}};
  for (const auto& key : look.home.signing_keys)
    lookups.push_back({fmt::format("{}._domainkey.{}", key.selector, domain), dns::Type::txt});
  std::set<std::string> silent;
  for (const auto& lookup : lookups) look_at(look, lookup, silent);
  for (const auto& server : silent)
    look.warn(domain,
              {.seen = "a name server does not answer: " + server,
               .expected = "an answer from each",
               .fix = "tell the DNS provider, or take it out of the NS records"});
}

}  // namespace tapal::provision
