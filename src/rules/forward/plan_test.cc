#include "rules/forward/plan.h"

#include <gtest/gtest.h>

namespace tapal::forward {
namespace {

using mailauth::DmarcIdentifier;
using mailauth::DmarcPolicy;
using mailauth::DmarcVerdict;

mailauth::Findings message_of(DmarcPolicy policy,
                              std::vector<DmarcIdentifier::Method> aligned,
                              bool has_record = true) {
  mailauth::Findings findings;
  auto& dmarc = findings.dmarc;
  dmarc.verdict = aligned.empty() ? DmarcVerdict::fail : DmarcVerdict::pass;
  dmarc.policy = policy;
  dmarc.author_domain = "bank.example";
  if (has_record) dmarc.record.emplace();
  for (const auto method : aligned)
    dmarc.aligned.push_back({method, DmarcIdentifier::Outcome::passed, "mail.bank.example"});
  return findings;
}

TEST(ForwardPlan, knows_what_survives_being_passed_on) {
  constexpr auto spf = DmarcIdentifier::Method::spf;
  constexpr auto dkim = DmarcIdentifier::Method::dkim;
  struct Case {
    const char* name;
    mailauth::Findings findings;
    bool passes;
    Remedy way;
  };
  const Case cases[] = {
      {"signed", message_of(DmarcPolicy::reject, {dkim}), true, Remedy::pass_on},
      {"signed and SPF", message_of(DmarcPolicy::reject, {spf, dkim}), true, Remedy::pass_on},
      {"SPF alone, reject", message_of(DmarcPolicy::reject, {spf}), false, Remedy::refuse},
      {"SPF alone, quarantine", message_of(DmarcPolicy::quarantine, {spf}), false, Remedy::wrap},
      {"SPF alone, none", message_of(DmarcPolicy::none, {spf}), true, Remedy::pass_on},
      {"nothing, reject", message_of(DmarcPolicy::reject, {}), false, Remedy::refuse},
      {"no policy", message_of(DmarcPolicy::none, {spf}, false), true, Remedy::pass_on},
  };
  for (const auto& one : cases) {
    const auto plan = plan_forward(one.findings, {.when_quarantined = Remedy::wrap});
    EXPECT_EQ(plan.passes, one.passes) << one.name;
    EXPECT_EQ(plan.way, one.way) << one.name;
    EXPECT_TRUE(plan.reason.contains("bank.example")) << one.name << ": " << plan.reason;
  }
}

TEST(ForwardPlan, does_what_the_settings_say_about_mail_that_would_be_refused) {
  const auto findings = message_of(DmarcPolicy::reject, {DmarcIdentifier::Method::spf});
  for (const auto remedy : {Remedy::refuse, Remedy::wrap, Remedy::rewrite_from, Remedy::pass_on})
    EXPECT_EQ(plan_forward(findings, {.when_rejected = remedy}).way, remedy);
}

}  // namespace
}  // namespace tapal::forward
