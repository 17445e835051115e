// For tests of DMARC: DNS as a table, and tables of cases that are played against it.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "protocols/mailauth/dmarc_check.h"

namespace tapal::mailauth {

using Method = DmarcIdentifier::Method;
using Outcome = DmarcIdentifier::Outcome;

// What DNS has. Names with a record exist; others exist unless they are in `missing`.
struct World {
  std::multimap<std::string, std::string> records;  // a domain → its DMARC record
  std::set<std::string> failing = {};               // domains whose DMARC name cannot be asked
  std::set<std::string> missing = {};
  std::set<std::string> unclear = {};  // domains whose existence cannot be asked
  std::vector<std::string> asked = {};

  dns::LookupReply answer(const dns::Lookup& lookup) {
    using Status = dns::LookupReply::Status;
    asked.push_back(lookup.name);
    if (lookup.type != dns::Type::txt) {
      if (unclear.contains(lookup.name)) return {Status::failed, {}};
      return {missing.contains(lookup.name) ? Status::no_such_name : Status::no_data, {}};
    }
    const std::string domain = lookup.name.substr(std::string_view("_dmarc.").size());
    if (failing.contains(domain)) return {Status::failed, {}};
    dns::LookupReply reply{Status::no_such_name, {}};
    const auto [begin, end] = records.equal_range(domain);
    for (auto at = begin; at != end; ++at) {
      reply.status = Status::found;
      reply.records.push_back({lookup.name, lookup.type, {}, dns::Text{at->second}});
    }
    return reply;
  }
};

inline DmarcIdentifier spf(std::string domain, Outcome outcome = Outcome::passed) {
  return {Method::spf, outcome, std::move(domain)};
}
inline DmarcIdentifier dkim(std::string domain, Outcome outcome = Outcome::passed) {
  return {Method::dkim, outcome, std::move(domain)};
}

inline DmarcResult check(World& world,
                         AuthorDomains author,
                         std::vector<DmarcIdentifier> identifiers,
                         const dns::PublicSuffixes* suffixes = nullptr) {
  DmarcCheck core({std::move(author), std::move(identifiers)}, suffixes);
  while (const auto lookup = core.next_lookup()) {
    EXPECT_EQ(std::ranges::count(world.asked, lookup->name), 0) << "asked twice: " << lookup->name;
    core.on_reply(world.answer(*lookup));
    if (world.asked.size() > 200) break;
  }
  EXPECT_FALSE(core.next_lookup());
  return core.result();
}

inline std::string summary(const DmarcResult& result) {
  return fmt::format(
      "{} {}", dmarc_verdict_text(result.verdict), dmarc_policy_text(result.disposition));
}

struct Case {
  std::string name;
  World world;
  std::string author;
  std::vector<DmarcIdentifier> identifiers;
  std::string expected;             // verdict and disposition
  std::string organizational = {};  // domain; "": not looked at
  std::string policy_domain = {};
};

inline void play(std::vector<Case> cases, const dns::PublicSuffixes* suffixes = nullptr) {
  for (Case& c : cases) {
    const auto result = check(c.world, {{c.author}, ""}, c.identifiers, suffixes);
    EXPECT_EQ(summary(result), c.expected) << c.name << ": " << result.reason;
    if (!c.organizational.empty()) {
      EXPECT_EQ(result.organizational_domain, c.organizational) << c.name;
      EXPECT_EQ(result.policy_domain, c.policy_domain) << c.name;
    }
  }
}

inline constexpr auto reject_all = "v=DMARC1; p=reject";
inline constexpr auto not_passed = Outcome::not_passed;
inline constexpr auto temporary = Outcome::temporary_error;

}  // namespace tapal::mailauth
