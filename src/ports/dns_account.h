// An account at whoever holds a domain's DNS zone: what is there is read, and whole record sets are
// written, so that every provider looks the same from outside, whatever its own calls are.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"
#include "values/dns/record_set.h"

namespace tapal {

// What a provider cannot keep.
struct DnsAccountLimits {
  std::vector<dns::Type> unsupported;   // types it has no records of
  std::chrono::seconds ttl_least{1};    // shorter ones are raised to it
  std::size_t text_bytes_max = 65'535;  // of one TXT value
};

// Names are A-labels without a final dot. Every call comes back to `loop`. Errors:
//   denied      the credentials are wrong, expired, or do not reach this zone
//   not_found   no zone of this account holds the name
//   invalid     the provider refuses the record; its own words are in the text
//   full        its rate limit, when waiting as it asks would take too long
//   try_later   it cannot be reached, or fails
// The text names the provider, never a credential.
struct DnsAccount {
  virtual ~DnsAccount() = default;

  virtual const DnsAccountLimits& limits() const = 0;
  // The zone of this account that holds `name`: the longest that fits.
  virtual Task<Result<std::string>> find_zone(Loop& loop, std::string name) = 0;
  // As the provider has it, which is not yet what its servers answer. None: a set without data.
  virtual Task<Result<dns::RecordSet>> read(Loop& loop,
                                            std::string zone,
                                            std::string name,
                                            dns::Type type) = 0;
  // Makes each set so: what is not in it goes, an empty one is removed. All or nothing where the
  // provider can; where it cannot, new values are added before old ones are taken away, and the
  // Error tells which set it stopped at. Writing what is there already changes nothing.
  virtual Task<Result<void>> write(Loop& loop,
                                   std::string zone,
                                   std::vector<dns::RecordSet> sets) = 0;
};

}  // namespace tapal
