#include "services/intake/inspection.h"

#include <gtest/gtest.h>

namespace tapal::intake {
namespace {

using account::DmarcPractice;
using mailauth::DmarcPolicy;
using mailauth::DmarcVerdict;

std::string decision(DmarcVerdict verdict, DmarcPolicy policy, DmarcPractice practice) {
  mailauth::DmarcResult dmarc;
  dmarc.verdict = verdict;
  dmarc.policy = policy;
  dmarc.author_domain = "bank.example";
  if (verdict == DmarcVerdict::fail) dmarc.disposition = policy;
  const auto made = decide(dmarc, practice);
  if (made.refusal) return std::to_string(made.refusal->code) + " " + made.refusal->status;
  return made.why_aside.empty() ? "taken" : "aside";
}

TEST(Inspection, does_what_the_policy_asks_as_far_as_the_domain_honours_it) {
  struct Case {
    DmarcVerdict verdict;
    DmarcPolicy policy;
    const char* honoured;
    const char* quarantined;
    const char* ignored;
  };
  const Case cases[] = {
      {DmarcVerdict::fail, DmarcPolicy::reject, "550 5.7.1", "aside", "taken"},
      {DmarcVerdict::fail, DmarcPolicy::quarantine, "aside", "aside", "taken"},
      {DmarcVerdict::fail, DmarcPolicy::none, "taken", "taken", "taken"},
      {DmarcVerdict::pass, DmarcPolicy::reject, "taken", "taken", "taken"},
      {DmarcVerdict::none, DmarcPolicy::none, "taken", "taken", "taken"},
      {DmarcVerdict::temperror, DmarcPolicy::reject, "451 4.7.1", "451 4.7.1", "taken"},
      {DmarcVerdict::temperror, DmarcPolicy::none, "taken", "taken", "taken"},
      {DmarcVerdict::permerror, DmarcPolicy::none, "taken", "taken", "taken"},
  };
  for (const auto& one : cases) {
    const auto name = std::string(mailauth::dmarc_verdict_text(one.verdict)) + " " +
                      std::string(mailauth::dmarc_policy_text(one.policy));
    EXPECT_EQ(decision(one.verdict, one.policy, DmarcPractice::honour), one.honoured) << name;
    EXPECT_EQ(decision(one.verdict, one.policy, DmarcPractice::quarantine), one.quarantined)
        << name;
    EXPECT_EQ(decision(one.verdict, one.policy, DmarcPractice::ignore), one.ignored) << name;
  }
}

}  // namespace
}  // namespace tapal::intake
