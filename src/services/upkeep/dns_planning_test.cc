#include "services/upkeep/dns_planning.h"

#include <gtest/gtest.h>

#include "rules/provision/test_identity.h"
#include "services/upkeep/test_dns_world.h"

namespace tapal::upkeep {
namespace {

using provision::Action;
using provision::Purpose;

struct DnsPlanningWorld : testing::Test {
  DnsWorld dns{"@ TXT \"v=spf1 include:x.example -all\"\n"};

  Result<DnsPlanning> plan(DnsAccount* account) {
    return dns.loop.wait(plan_dns(dns.loop, dns.names, account, provision::full_identity(), {}))
        .value();
  }
  static const provision::Change* find(const DnsPlanning& planning, Purpose purpose) {
    for (const auto& change : planning.plan.changes)
      if (change.wanted.purpose == purpose) return &change;
    return nullptr;
  }
};

TEST_F(DnsPlanningWorld, reads_at_the_account_where_there_is_one) {
  dns.names.add("x.example", dns::Type::txt, dns::Text{"v=spf1 mx -all"});
  const auto planning = plan(&dns).value();
  EXPECT_EQ(find(planning, Purpose::sender_policy)->action, Action::merge);
}

TEST_F(DnsPlanningWorld, asks_dns_where_there_is_none) {
  dns.names.add("_dmarc.example.com", dns::Type::txt, dns::Text{"v=DMARC1; p=reject"});
  const auto planning = plan(nullptr).value();
  EXPECT_EQ(find(planning, Purpose::sender_policy)->action, Action::create);
  EXPECT_EQ(find(planning, Purpose::dmarc)->action, Action::keep);
}

TEST_F(DnsPlanningWorld, takes_silence_for_no_answer_and_not_for_nothing) {
  dns.names.failure = Error{Code::try_later, "no server answers"};
  EXPECT_EQ(plan(nullptr).error().code, Code::try_later);
}

TEST_F(DnsPlanningWorld, pins_no_keys_where_dnssec_does_not_hold) {
  EXPECT_EQ(find(plan(nullptr).value(), Purpose::pinned_keys), nullptr);
}

TEST_F(DnsPlanningWorld, refuses_a_policy_that_includes_too_much) {
  dns.names.add(
      "x.example", dns::Type::txt, dns::Text{"v=spf1 include:x.example include:x.example"});
  EXPECT_EQ(find(plan(&dns).value(), Purpose::sender_policy)->action, Action::conflict);
}

}  // namespace
}  // namespace tapal::upkeep
