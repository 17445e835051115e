#include "rules/provision/plan.h"

#include <random>

#include <gtest/gtest.h>

#include "rules/provision/test_identity.h"
#include "values/dns/zone_text.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

// Published: lines of a zone file; whatever the plan asks for and is not there is empty.
RecordSets published(std::span<const WantedSet> wanted, std::string_view zone) {
  RecordSets sets;
  for (const auto& [name, type] : plan_lookups(wanted)) {
    dns::RecordSet set{name, type, std::chrono::seconds(600), {}};
    for (auto& record : dns::parse_zone_text(zone, {.origin = "example.com"}).value())
      if (record.name == name && record.type == type) set.data.push_back(std::move(record.data));
    sets.add(std::move(set));
  }
  return sets;
}

Plan planned(const MailIdentity& identity, std::string_view zone, const PlanOptions& options = {}) {
  const auto wanted = wanted_records(identity).value();
  return make_plan(identity.domain, wanted, published(wanted, zone), options).value();
}

const Change& change_of(const Plan& plan, Purpose purpose) {
  for (const auto& change : plan.changes)
    if (change.wanted.purpose == purpose) return change;
  throw std::out_of_range(std::string(purpose_text(purpose)));
}

std::string after(const Change& change) {
  std::string all;
  for (const auto& line : lines_of(change.after)) {
    all += all.empty() ? "" : "; ";
    all += line.substr(line.find(' ', line.find(' ') + 1) + 1);
  }
  return all;
}

TEST(Plan, creates_everything_in_an_empty_zone) {
  const auto plan = planned(full_identity(), "");
  EXPECT_TRUE(plan.writes());
  for (const auto& change : plan.changes) {
    EXPECT_EQ(change.action, Action::create) << change.wanted.set.name;
    EXPECT_EQ(change.after, change.wanted.set);
    EXPECT_EQ(change.why, change.wanted.why);
  }
}

struct Case {
  std::string_view name;
  std::string_view zone;
  Purpose purpose;
  Action action;
  std::string_view after = {};
  PlanOptions options = {};
  void (*change)(MailIdentity&) = nullptr;
};

PlanOptions take_mx() {
  PlanOptions options;
  options.take_mx = true;
  return options;
}
PlanOptions take_host() {
  PlanOptions options;
  options.take_host = true;
  return options;
}
PlanOptions written(std::string_view name, dns::Type type, std::vector<dns::Data> data) {
  PlanOptions options;
  options.written.add({std::string(name), type, {}, std::move(data)});
  return options;
}
PlanOptions policy_with(std::string_view host) {
  PlanOptions options;
  options.policy_hosts = {std::string(host)};
  return options;
}
dns::Data address(std::string_view text) { return *IpAddress::from_text(text); }
void as_backup(MailIdentity& identity) { identity.role = account::Role::backup_mx; }
void at_domain(MailIdentity& identity) { identity.host = identity.domain; }

std::vector<Case> cases() {
  using enum Purpose;
  using enum Action;
  constexpr auto zone_of_all_caa = "@ CAA 0 issue \"other.example\"\n";
  return {
      {"address as wanted", "mail A 192.0.2.1", host_address, keep, "192.0.2.1"},
      {"address among others",
       "mail A 192.0.2.9\nmail A 192.0.2.1",
       host_address,
       keep,
       "192.0.2.9; 192.0.2.1"},
      {"address elsewhere", "mail A 192.0.2.9", host_address, conflict, "192.0.2.9"},
      {"address taken", "mail A 192.0.2.9", host_address, replace, "192.0.2.1", take_host()},
      {"address of ours, before a move",
       "mail A 192.0.2.9",
       host_address,
       replace,
       "192.0.2.1",
       written("mail.example.com", dns::Type::a, {address("192.0.2.9")})},
      {"address of the domain itself",
       "@ A 192.0.2.9",
       host_address,
       conflict,
       "192.0.2.9",
       take_host(),
       at_domain},
      {"host is an alias", "mail CNAME other.example.", host_address, conflict, ""},

      {"mx here", "@ MX 5 mail", mail_exchange, keep, "5 mail.example.com."},
      {"mx here and elsewhere",
       "@ MX 5 mail\n@ MX 20 b.example.",
       mail_exchange,
       keep,
       "5 mail.example.com.; 20 b.example."},
      {"mx elsewhere",
       "@ MX 1 aspmx.l.google.com.",
       mail_exchange,
       conflict,
       "1 aspmx.l.google.com."},
      {"mx taken",
       "@ MX 1 aspmx.l.google.com.",
       mail_exchange,
       replace,
       "10 mail.example.com.",
       take_mx()},
      {"null mx", "@ MX 0 .", mail_exchange, conflict, "0 ."},
      {"null mx taken", "@ MX 0 .", mail_exchange, replace, "10 mail.example.com.", take_mx()},
      {"mx of ours with another name",
       "@ MX 10 old.example.com.",
       mail_exchange,
       replace,
       "10 mail.example.com.",
       written("example.com", dns::Type::mx, {dns::MailExchange{10, "old.example.com"}})},
      {"backup joins",
       "@ MX 10 a.example.\n@ MX 30 b.example.",
       mail_exchange,
       merge,
       "10 a.example.; 30 b.example.; 40 mail.example.com.",
       {},
       as_backup},
      {"backup of a domain without mail",
       "@ MX 0 .",
       mail_exchange,
       conflict,
       "0 .",
       {},
       as_backup},

      {"spf beside other texts",
       "@ TXT \"google-site-verification=1\"",
       sender_policy,
       create,
       "\"google-site-verification=1\"; \"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all\""},
      {"spf of others",
       "@ TXT \"v=spf1 include:x.example -all\"\n@ TXT \"other\"",
       sender_policy,
       merge,
       "\"other\"; \"v=spf1 include:x.example ip4:192.0.2.1 ip6:2001:db8::1 -all\""},
      {"spf that has us",
       "@ TXT \"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 mx -all\"",
       sender_policy,
       keep,
       "\"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 mx -all\""},
      {"two spf records",
       "@ TXT \"v=spf1 mx ~all\"\n@ TXT \"v=spf1 a -all\"",
       sender_policy,
       merge,
       "\"v=spf1 mx a ip4:192.0.2.1 ip6:2001:db8::1 -all\""},
      {"broken spf",
       "@ TXT \"v=spf1 ipv4:192.0.2.1\"",
       sender_policy,
       conflict,
       "\"v=spf1 ipv4:192.0.2.1\""},
      {"what only looks like spf",
       "@ TXT \"v=spf10 x\"",
       sender_policy,
       create,
       "\"v=spf10 x\"; \"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all\""},

      {"key written otherwise",
       "s1._domainkey TXT \"p=AAAA;k=ed25519\"",
       signing_key,
       keep,
       "\"p=AAAA;k=ed25519\""},
      {"another key",
       "s1._domainkey TXT \"v=DKIM1; k=ed25519; p=CCCC\"",
       signing_key,
       replace,
       "\"v=DKIM1; k=ed25519; p=AAAA\""},
      {"key at an alias", "s1._domainkey CNAME x.example.", signing_key, conflict, ""},

      {"dmarc of the owner",
       "_dmarc TXT \"v=DMARC1; p=reject\"",
       dmarc,
       keep,
       "\"v=DMARC1; p=reject\""},
      {"two dmarc records",
       "_dmarc TXT \"v=DMARC1; p=none; rua=mailto:a@x.example\"\n_dmarc TXT \"v=DMARC1; "
       "p=quarantine\"",
       dmarc,
       merge,
       "\"v=DMARC1; p=quarantine; rua=mailto:a@x.example\""},
      {"broken dmarc",
       "_dmarc TXT \"v=DMARC1; p=maybe\"",
       dmarc,
       replace,
       "\"v=DMARC1; p=none; rua=mailto:reports@example.com\""},
      {"dmarc left to a service", "_dmarc CNAME d.service.example.", dmarc, keep, ""},

      {"old policy id",
       "_mta-sts TXT \"v=STSv1; id=1\"",
       mta_sts,
       replace,
       "\"v=STSv1; id=20261126;\""},
      {"policy held back by another mx", "@ MX 5 mail\n@ MX 9 b.example.", mta_sts, conflict, ""},
      {"policy that names the other mx",
       "@ MX 5 mail\n@ MX 9 b.x.example.",
       mta_sts,
       create,
       "\"v=STSv1; id=20261126;\"",
       policy_with("*.x.example")},
      {"policy host by address", "mta-sts A 192.0.2.1", mta_sts_host, keep, ""},
      {"policy host elsewhere", "mta-sts A 192.0.2.9", mta_sts_host, conflict, ""},
      {"policy host elsewhere by alias",
       "mta-sts CNAME x.example.",
       mta_sts_host,
       conflict,
       "x.example."},
      {"tls reports elsewhere",
       "_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:x@y.example\"",
       tls_reports,
       keep,
       "\"v=TLSRPTv1; rua=mailto:x@y.example\""},

      {"issuers at the host",
       "mail CAA 0 issue \"other.example\"",
       issuers,
       merge,
       "0 issue \"other.example\"; 0 issue \"ca.example; accounturi=https://ca.example/acct/1\""},
      {"issuers at the domain",
       zone_of_all_caa,
       issuers,
       merge,
       "0 issue \"other.example\"; 0 issue \"ca.example; accounturi=https://ca.example/acct/1\"",
       {},
       at_domain},
      {"no issuers at the domain", "", issuers, keep, "", {}, at_domain},

      {"old pinned keys",
       "_25._tcp.mail TLSA 3 1 1 "
       "3333333333333333333333333333333333333333333333333333333333333333",
       pinned_keys,
       replace,
       "3 1 1 1111111111111111111111111111111111111111111111111111111111111111; "
       "3 1 1 2222222222222222222222222222222222222222222222222222222222222222"},
      {"submission elsewhere",
       "_submissions._tcp SRV 0 1 465 smtp.x.example.",
       submission,
       conflict,
       "0 1 465 smtp.x.example."},
      {"name that gets mail", "www MX 10 x.example.", no_mail, conflict, "10 x.example."},
      {"name that sends mail",
       "www TXT \"v=spf1 mx -all\"",
       no_mail_policy,
       conflict,
       "\"v=spf1 mx -all\""},
  };
}

TEST(Plan, decides_by_what_is_published) {
  for (const auto& one : cases()) {
    auto identity = full_identity();
    if (one.change != nullptr) one.change(identity);
    const auto plan = planned(identity, one.zone, one.options);
    const auto& change = change_of(plan, one.purpose);
    EXPECT_EQ(action_text(change.action), action_text(one.action))
        << one.name << ": " << change.why;
    EXPECT_FALSE(change.why.empty()) << one.name;
    if (!one.after.empty() || change.after.data.empty()) {
      EXPECT_EQ(after(change), one.after) << one.name;
    }
    if (!change.writes()) {
      EXPECT_EQ(change.after, change.before) << one.name;
    }
  }
}

TEST(Plan, never_loses_what_is_foreign) {
  for (const auto& one : cases()) {
    if (one.options.take_mx || one.options.take_host) continue;
    auto identity = full_identity();
    if (one.change != nullptr) one.change(identity);
    for (const auto& change : planned(identity, one.zone, one.options).changes)
      for (const auto& data : change.before.data)
        if (classify(change.wanted, data, one.options.written) == ValueClass::foreign) {
          EXPECT_TRUE(std::ranges::find(change.after.data, data) != change.after.data.end())
              << one.name << " at " << change.wanted.set.name;
        }
  }
}

// plan(apply(plan)) changes nothing.
TEST(Plan, wants_nothing_more_when_it_has_been_applied) {
  for (const auto& one : cases()) {
    auto identity = full_identity();
    if (one.change != nullptr) one.change(identity);
    const auto wanted = wanted_records(identity).value();
    auto sets = published(wanted, one.zone);
    const auto plan = make_plan(identity.domain, wanted, sets, one.options).value();
    for (const auto& change : plan.changes)
      if (change.writes()) sets.add(change.after);
    const auto again = make_plan(identity.domain, wanted, sets, one.options).value();
    for (const auto& change : again.changes)
      EXPECT_FALSE(change.writes()) << one.name << change.why;
  }
}

TEST(Plan, is_kept_from_being_applied_only_by_what_is_needed) {
  EXPECT_EQ(planned(full_identity(), "@ MX 1 x.example.").blocking().size(), 1U);
  EXPECT_TRUE(planned(full_identity(), "autoconfig A 192.0.2.9").blocking().empty());
}

PlanOptions with_old_terms() {
  PlanOptions options;
  options.written_spf_terms = {"ip4:192.0.2.9", "ip4:192.0.2.1"};
  return options;
}

TEST(Plan, takes_addresses_out_of_spf_that_it_wrote_itself_and_that_are_left) {
  const auto plan = planned(full_identity(),
                            "@ TXT \"v=spf1 include:x.example ip4:192.0.2.9 ip4:192.0.2.1 "
                            "ip4:198.51.100.1 -all\"",
                            with_old_terms());
  const auto& change = change_of(plan, Purpose::sender_policy);
  EXPECT_EQ(change.action, Action::merge);
  EXPECT_EQ(after(change),
            "\"v=spf1 include:x.example ip4:192.0.2.1 ip4:198.51.100.1 ip6:2001:db8::1 -all\"");
}

TEST(Plan, removes_an_unused_policy_only_where_it_wrote_all_of_it) {
  auto identity = full_identity();
  identity.mta_sts_id.clear();
  PlanOptions options;
  options.unwanted = unwanted_records(identity);
  ASSERT_EQ(options.unwanted.size(), 2U);
  const dns::Data ours = dns::Text{"v=STSv1; id=1;"};
  options.written.add({"_mta-sts.example.com", dns::Type::txt, {}, {ours}});
  const auto wanted = wanted_records(identity).value();
  auto sets = published(wanted, "");
  sets.add({"_mta-sts.example.com", dns::Type::txt, {}, {ours}});
  sets.add({"mta-sts.example.com", dns::Type::cname, {}, {dns::NameTarget{"x.example"}}});
  const auto plan = make_plan("example.com", wanted, sets, options).value();
  EXPECT_EQ(change_of(plan, Purpose::mta_sts).action, Action::remove);
  EXPECT_TRUE(change_of(plan, Purpose::mta_sts).after.data.empty());
  EXPECT_THROW(change_of(plan, Purpose::mta_sts_host), std::out_of_range);

  sets.add({"_mta-sts.example.com", dns::Type::txt, {}, {ours, dns::Text{"theirs"}}});
  EXPECT_THROW(change_of(make_plan("example.com", wanted, sets, options).value(), Purpose::mta_sts),
               std::out_of_range);
  EXPECT_TRUE(unwanted_records(full_identity()).empty());
}

TEST(Plan, has_reports_come_here_as_well_when_that_is_asked_for) {
  const auto* zone =
      "_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:a@x.example; fo=1\"\n"
      "_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:b@x.example\"";
  EXPECT_EQ(change_of(planned(full_identity(), zone), Purpose::dmarc).action, Action::keep);
  PlanOptions options;
  options.join_reports = true;
  const auto plan = planned(full_identity(), zone, options);
  EXPECT_EQ(change_of(plan, Purpose::dmarc).action, Action::merge);
  EXPECT_EQ(after(change_of(plan, Purpose::dmarc)),
            "\"v=DMARC1; p=reject; rua=mailto:a@x.example,mailto:reports@example.com; fo=1\"");
  EXPECT_EQ(after(change_of(plan, Purpose::tls_reports)),
            "\"v=TLSRPTv1; rua=mailto:b@x.example,mailto:reports@example.com\"");
}

TEST(Plan, keeps_the_ttl_of_what_it_merges_into) {
  const auto plan = planned(full_identity(), "@ TXT \"v=spf1 mx -all\"");
  EXPECT_EQ(change_of(plan, Purpose::sender_policy).after.ttl, std::chrono::seconds(600));
}

TEST(Plan, must_know_all_that_is_published) {
  const auto wanted = wanted_records(full_identity()).value();
  EXPECT_FALSE(make_plan("example.com", wanted, RecordSets(), {}));
}

TEST(Plan, refuses_an_spf_record_that_asks_dns_too_often) {
  auto plan = planned(full_identity(), "@ TXT \"v=spf1 include:a.example include:b.example -all\"");
  for (auto& change : plan.changes) {
    if (change.wanted.purpose != Purpose::sender_policy) continue;
    mailauth::SpfLookupCount count("example.com",
                                   std::get<dns::Text>(change.after.data.front()).value);
    judge_lookups(change, count);
    EXPECT_EQ(change.action, Action::merge);
    while (count.next_lookup())
      count.on_reply(
          {dns::LookupReply::Status::found,
           {{"", dns::Type::txt, {}, dns::Text{"v=spf1 a mx a:b.example mx:b.example ptr -all"}}}});
    judge_lookups(change, count);
    EXPECT_EQ(change.action, Action::conflict);
    EXPECT_EQ(change.after, change.before);
    EXPECT_TRUE(change.why.contains("12 times")) << change.why;
    EXPECT_TRUE(change.why.contains("include:a.example (6)")) << change.why;
  }
}

// Whatever is published, in made-up zones: a second run changes nothing.
TEST(Plan, comes_to_rest_in_made_up_zones) {
  std::vector<std::string> lines;
  for (const auto& one : cases())
    for (const auto line : text::split(one.zone, '\n'))
      if (!line.empty()) lines.emplace_back(line);
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string zone;
    for (auto left = random() % 8; left > 0; --left) zone += lines[random() % lines.size()] + "\n";
    auto options = PlanOptions();
    options.take_mx = random() % 2 == 0;
    options.take_host = random() % 2 == 0;
    const auto wanted = wanted_records(full_identity()).value();
    auto sets = published(wanted, zone);
    const auto plan = make_plan("example.com", wanted, sets, options).value();
    for (const auto& change : plan.changes)
      if (change.writes()) sets.add(change.after);
    const auto again = make_plan("example.com", wanted, sets, options).value();
    for (const auto& change : again.changes)
      EXPECT_FALSE(change.writes()) << "round " << round << "\n" << zone << change.why;
  }
}

}  // namespace
}  // namespace tapal::provision
