#include "rules/provision/dmarc_advance.h"

#include <fmt/format.h>

namespace tapal::provision {
namespace {

using mailauth::DmarcPolicy;

// What a step needs. Two weeks see every weekly run of mail twice; a month sees the monthly ones.
struct StepNeeds {
  std::chrono::days period;
  std::uint64_t messages;
  std::uint64_t failed_per_thousand_max;
};
constexpr StepNeeds for_quarantine{std::chrono::days(14), 50, 10};
constexpr StepNeeds for_reject{std::chrono::days(30), 200, 2};

}  // namespace

DmarcStep next_dmarc_step(DmarcPolicy now, const DmarcReports& reports) {
  if (now == DmarcPolicy::reject) return {{}, "the policy is as strict as there is"};
  const auto& needs = now == DmarcPolicy::none ? for_quarantine : for_reject;
  const auto next = now == DmarcPolicy::none ? DmarcPolicy::quarantine : DmarcPolicy::reject;
  const auto name = mailauth::dmarc_policy_text(next);
  if (reports.period < needs.period || reports.messages < needs.messages)
    return {{},
            fmt::format("{} wants reports of {} days and {} messages at least; there are {} and {}",
                        name,
                        needs.period.count(),
                        needs.messages,
                        reports.period.count(),
                        reports.messages)};
  const auto per_thousand =
      static_cast<double>(reports.failed) * 1000.0 / static_cast<double>(reports.messages);
  const auto failed = fmt::format("{} of {} messages of ours did not pass ({:.1f} of a thousand)",
                                  reports.failed,
                                  reports.messages,
                                  per_thousand);
  if (per_thousand > static_cast<double>(needs.failed_per_thousand_max))
    return {{},
            fmt::format("{}: {} wants at most {} of a thousand; find out who sends them first",
                        failed,
                        name,
                        needs.failed_per_thousand_max)};
  std::string why = fmt::format("{} in {} days", failed, reports.period.count());
  if (next == DmarcPolicy::reject)
    why += "; where people write to mailing lists, stay at quarantine (RFC 9989 section 7.4)";
  return {next, why};
}

}  // namespace tapal::provision
