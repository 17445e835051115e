#include "rules/account/mta_sts.h"

#include <algorithm>
#include <chrono>

namespace tapal::account {
namespace {

constexpr std::chrono::days age_of_a_policy{7};
// Who takes a policy back wants it forgotten soon (RFC 8461 section 8.3).
constexpr std::chrono::days age_of_none{1};

}  // namespace

std::optional<tlspolicy::MtaStsPolicy> mta_sts_policy(const DomainSettings& domain,
                                                      std::string_view host_name) {
  if (domain.role == Role::send) return {};
  if (domain.role == Role::backup_mx && domain.mta_sts_mx.empty()) return {};
  tlspolicy::MtaStsPolicy policy{domain.mta_sts, {std::string(host_name)}, age_of_a_policy};
  for (const auto& host : domain.mta_sts_mx)
    if (std::ranges::find(policy.mx, host) == policy.mx.end()) policy.mx.push_back(host);
  if (policy.mode != tlspolicy::MtaStsMode::none) return policy;
  return tlspolicy::MtaStsPolicy{policy.mode, {}, age_of_none};
}

}  // namespace tapal::account
