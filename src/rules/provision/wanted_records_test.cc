#include "rules/provision/wanted_records.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "rules/provision/test_identity.h"
#include "values/dns/rdata.h"

namespace tapal::provision {
namespace {

TEST(WantedRecords, are_all_that_a_domain_with_mail_needs) {
  const std::vector<std::string> expected{
      "mail.example.com A 192.0.2.1",
      "mail.example.com AAAA 2001:db8::1",
      "mail.example.com TXT \"v=spf1 a -all\"",
      "example.com MX 10 mail.example.com.",
      "example.com TXT \"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all\"",
      "s1._domainkey.example.com TXT \"v=DKIM1; k=ed25519; p=AAAA\"",
      "s2._domainkey.example.com TXT \"v=DKIM1; k=ed25519; p=BBBB\"",
      "_dmarc.example.com TXT \"v=DMARC1; p=none; rua=mailto:reports@example.com\"",
      "_mta-sts.example.com TXT \"v=STSv1; id=20261126;\"",
      "mta-sts.example.com CNAME mail.example.com.",
      "_smtp._tls.example.com TXT \"v=TLSRPTv1; rua=mailto:reports@example.com\"",
      "_25._tcp.mail.example.com TLSA 3 1 1 " + std::string(64, '1'),
      "_25._tcp.mail.example.com TLSA 3 1 1 " + std::string(64, '2'),
      "mail.example.com CAA 0 issue \"ca.example; accounturi=https://ca.example/acct/1\"",
      "mail.example.com CAA 0 issuewild \";\"",
      "_submissions._tcp.example.com SRV 0 1 465 mail.example.com.",
      "_submission._tcp.example.com SRV 0 1 587 mail.example.com.",
      "_autodiscover._tcp.example.com SRV 0 0 443 mail.example.com.",
      "autoconfig.example.com CNAME mail.example.com.",
      "www.example.com MX 0 .",
      "www.example.com TXT \"v=spf1 -all\"",
  };
  EXPECT_EQ(lines_of(wanted_records(full_identity()).value()), expected);
}

TEST(WantedRecords, have_each_name_and_type_once_and_a_reason) {
  for (const auto role : {account::Role::receive,
                          account::Role::send,
                          account::Role::send_forward,
                          account::Role::backup_mx})
    for (const auto& host : {"mail.example.com", "example.com", "mx.example.net"}) {
      auto identity = full_identity();
      identity.role = role;
      identity.host = host;
      identity.certificates.has_wildcard = true;
      identity.failure_report_address = identity.report_address = "dmarc@reports.example";
      std::set<std::pair<std::string, dns::Type>> seen;
      for (const auto& wanted : wanted_records(identity).value()) {
        EXPECT_TRUE(seen.insert({wanted.set.name, wanted.set.type}).second) << wanted.set.name;
        EXPECT_FALSE(wanted.why.empty());
        EXPECT_FALSE(wanted.set.data.empty());
        for (const auto& data : wanted.set.data) EXPECT_TRUE(dns::data_fits(wanted.set.type, data));
      }
    }
}

struct RoleCase {
  account::Role role;
  std::vector<Purpose> present;
  std::vector<Purpose> absent;
};

TEST(WantedRecords, are_what_the_role_needs) {
  using enum Purpose;
  const std::vector<RoleCase> cases{
      {account::Role::receive, {mail_exchange, sender_policy, mta_sts}, {}},
      {account::Role::send_forward, {mail_exchange, sender_policy, mta_sts}, {}},
      {account::Role::send, {sender_policy, signing_key, dmarc}, {mail_exchange, mta_sts, issuers}},
      {account::Role::backup_mx, {mail_exchange, host_policy}, {sender_policy, signing_key, dmarc}},
  };
  for (const auto& one : cases) {
    auto identity = full_identity();
    identity.role = one.role;
    const auto wanted = wanted_records(identity).value();
    for (const auto purpose : one.present)
      EXPECT_NE(find_wanted(wanted, purpose), nullptr)
          << account::text_of(one.role) << " " << purpose_text(purpose);
    for (const auto purpose : one.absent)
      EXPECT_EQ(find_wanted(wanted, purpose), nullptr)
          << account::text_of(one.role) << " " << purpose_text(purpose);
  }
}

TEST(WantedRecords, name_an_authority_once_there_is_an_account) {
  const auto has_issuers = [](const MailIdentity& identity) {
    const auto all = wanted_records(identity).value();
    return std::ranges::find(all, Purpose::issuers, &WantedSet::purpose) != all.end();
  };
  auto identity = full_identity();
  EXPECT_TRUE(has_issuers(identity));
  identity.certificates.account_uri.clear();
  EXPECT_FALSE(has_issuers(identity));
}

TEST(WantedRecords, pin_no_keys_in_a_zone_without_signatures) {
  auto identity = full_identity();
  identity.zone_is_signed = false;
  EXPECT_EQ(find_wanted(wanted_records(identity).value(), Purpose::pinned_keys), nullptr);
}

TEST(WantedRecords, ask_for_consent_where_reports_leave_the_domain) {
  auto identity = full_identity();
  identity.report_address = "dmarc@reports.example";
  const auto wanted = wanted_records(identity).value();
  const auto* consent = find_wanted(wanted, Purpose::report_consent);
  ASSERT_NE(consent, nullptr);
  EXPECT_EQ(consent->set.name, "example.com._report._dmarc.reports.example");
}

TEST(WantedRecords, refuse_nonexistent_subdomains_once_dmarc_does_something) {
  auto identity = full_identity();
  identity.dmarc = mailauth::DmarcPolicy::quarantine;
  EXPECT_EQ(dmarc_text(identity),
            "v=DMARC1; p=quarantine; np=reject; rua=mailto:reports@example.com");
}

TEST(WantedRecords, tell_which_fact_is_wrong) {
  struct Case {
    std::string_view name;
    void (*change)(MailIdentity&);
  };
  const std::vector<Case> cases{
      {"domain", [](MailIdentity& identity) { identity.domain = "com"; }},
      {"host", [](MailIdentity& identity) { identity.host = "Mail.example.com"; }},
      {"address", [](MailIdentity& identity) { identity.addresses.clear(); }},
      {"reports", [](MailIdentity& identity) { identity.report_address = "a;b@example.com"; }},
      {"digest", [](MailIdentity& identity) { identity.tlsa_digests = {"short"}; }},
      {"without mail", [](MailIdentity& identity) { identity.no_mail_hosts = {"example.com"}; }},
  };
  for (const auto& one : cases) {
    auto identity = full_identity();
    one.change(identity);
    const auto wanted = wanted_records(identity);
    ASSERT_FALSE(wanted) << one.name;
    EXPECT_EQ(wanted.error().code, Code::invalid);
    EXPECT_TRUE(wanted.error().what.contains(one.name)) << wanted.error().what;
  }
}

}  // namespace
}  // namespace tapal::provision
