// From the facts about a domain to its DNS plan: asks what is published, compares, and counts what
// SPF costs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/dns_account.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "rules/provision/plan.h"
#include "rules/provision/wanted_records.h"

namespace tapal::upkeep {

struct DnsPlanning {
  provision::Plan plan;
  // Wanted, in a zone that the account does not hold: whoever holds it must make them.
  std::vector<provision::WantedSet> left_to_others;
};

// What is published is read at `account`, or asked of DNS where there is none (null). Keys are
// pinned only where DNSSEC holds for the domain and its host, whatever `identity` says.
Task<Result<DnsPlanning>> plan_dns(Loop& loop,
                                   Resolver& resolver,
                                   DnsAccount* account,
                                   provision::MailIdentity identity,
                                   provision::PlanOptions options);

}  // namespace tapal::upkeep
