// The MTA-STS policy of a domain of ours: what we serve, and what its DNS record follows.
#pragma once

#include <optional>
#include <string_view>

#include "protocols/tlspolicy/mta_sts.h"
#include "rules/account/domain_settings.h"

namespace tapal::account {

// Nothing for a domain whose mail goes to others: one that only sends, and one that we are the
// backup of, until mta_sts_mx says who else takes its mail. `host_name` is ours, in lower case.
std::optional<tlspolicy::MtaStsPolicy> mta_sts_policy(const DomainSettings& domain,
                                                      std::string_view host_name);

}  // namespace tapal::account
