// A DNS plan carried out at the account: shown first, written, noted in the journal, and waited for
// at every name server.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/dns/work.h"
#include "services/upkeep/dns_change.h"

namespace tapal::app {

// What came of a plan.
struct Applied {
  upkeep::DnsPlanning planning;
  std::optional<provision::JournalEntry> entry;  // nothing: nothing was written
  std::vector<upkeep::LaggingServer> behind;
};

using MakePlan = std::function<Task<Result<upkeep::DnsPlanning>>(Loop&, DnsAccount&)>;
// Sees the plan before anything is written; false: nothing is.
using ShowPlan = std::function<bool(const upkeep::DnsPlanning&)>;

// Opened, with the lock of those that write.
Result<std::unique_ptr<DnsWork>> open_to_write(const CommonOptions& common,
                                               const DnsWorkOptions& options);

// The records that the domain wants. `work` must outlive it.
MakePlan plan_of(DnsWork& work);

// Changes of an earlier run that were not ended are settled first. Blocks.
Result<Applied> write_dns(DnsWork& work, const MakePlan& make_plan, const ShowPlan& show);

// As the account and the journal of `work` want it; what it waits for goes to standard error.
upkeep::DnsChange change_for(DnsWork& work,
                             DnsAccount& account,
                             upkeep::ZoneAuthorities& authorities);

}  // namespace tapal::app
