// What is published now, for a plan: at the account that keeps the zones, or as DNS shows it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/dns_account.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "rules/provision/plan.h"
#include "values/dns/lookup.h"

namespace tapal::upkeep {

// Code::try_later names the question that got no answer: a plan must not take it for "nothing".
Task<Result<provision::RecordSets>> published_in_dns(Loop& loop,
                                                     Resolver& resolver,
                                                     std::vector<dns::Lookup> lookups);

// The zones of an account, found once each.
class AccountZones {
 public:
  explicit AccountZones(DnsAccount& account) : account_(account) {}

  // Errors: those of DnsAccount::find_zone(); not_found where the account has no such zone.
  Task<Result<std::string>> find(Loop& loop, std::string name);
  Task<Result<provision::RecordSets>> read(Loop& loop, std::vector<dns::Lookup> lookups);

 private:
  DnsAccount& account_;
  std::vector<std::string> known_;
};

// Takes out of `wanted` what no zone of the account holds and nobody needs (consent of another
// domain to get reports), and gives it back to be told. Anything else not held is an Error.
Task<Result<std::vector<provision::WantedSet>>> take_out_foreign(
    Loop& loop, AccountZones& zones, std::vector<provision::WantedSet>& wanted);

// Changes that the account cannot keep become conflicts: a type it does not know, a value too long.
// Times to live are raised to its least.
void fit_to_account(provision::Plan& plan, const DnsAccountLimits& limits);

}  // namespace tapal::upkeep
