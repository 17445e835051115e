#include "protocols/mailauth/dmarc_check.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

using Method = DmarcIdentifier::Method;
using Outcome = DmarcIdentifier::Outcome;

// What DNS has. Names with a record exist; others exist unless they are in `missing`.
struct World {
  std::multimap<std::string, std::string> records;  // a domain → its DMARC record
  std::set<std::string> failing = {};               // domains whose DMARC name cannot be asked
  std::set<std::string> missing = {};
  std::set<std::string> unclear = {};  // domains whose existence cannot be asked
  std::vector<std::string> asked = {};

  dns::LookupReply answer(const dns::Lookup& lookup) {
    using Status = dns::LookupReply::Status;
    asked.push_back(lookup.name);
    if (lookup.type != dns::Type::txt) {
      if (unclear.contains(lookup.name)) return {Status::failed, {}};
      return {missing.contains(lookup.name) ? Status::no_such_name : Status::no_data, {}};
    }
    const std::string domain = lookup.name.substr(std::string_view("_dmarc.").size());
    if (failing.contains(domain)) return {Status::failed, {}};
    dns::LookupReply reply{Status::no_such_name, {}};
    const auto [begin, end] = records.equal_range(domain);
    for (auto at = begin; at != end; ++at) {
      reply.status = Status::found;
      reply.records.push_back({lookup.name, lookup.type, {}, dns::Text{at->second}});
    }
    return reply;
  }
};

DmarcIdentifier spf(std::string domain, Outcome outcome = Outcome::passed) {
  return {Method::spf, outcome, std::move(domain)};
}
DmarcIdentifier dkim(std::string domain, Outcome outcome = Outcome::passed) {
  return {Method::dkim, outcome, std::move(domain)};
}

DmarcResult check(World& world,
                  AuthorDomains author,
                  std::vector<DmarcIdentifier> identifiers,
                  const dns::PublicSuffixes* suffixes = nullptr) {
  DmarcCheck core({std::move(author), std::move(identifiers)}, suffixes);
  while (const auto lookup = core.next_lookup()) {
    EXPECT_EQ(std::ranges::count(world.asked, lookup->name), 0) << "asked twice: " << lookup->name;
    core.on_reply(world.answer(*lookup));
    if (world.asked.size() > 200) break;
  }
  EXPECT_FALSE(core.next_lookup());
  return core.result();
}

std::string summary(const DmarcResult& result) {
  return fmt::format(
      "{} {}", dmarc_verdict_text(result.verdict), dmarc_policy_text(result.disposition));
}

struct Case {
  std::string name;
  World world;
  std::string author;
  std::vector<DmarcIdentifier> identifiers;
  std::string expected;             // verdict and disposition
  std::string organizational = {};  // domain; "": not looked at
  std::string policy_domain = {};
};

void play(std::vector<Case> cases, const dns::PublicSuffixes* suffixes = nullptr) {
  for (Case& c : cases) {
    const auto result = check(c.world, {{c.author}, ""}, c.identifiers, suffixes);
    EXPECT_EQ(summary(result), c.expected) << c.name << ": " << result.reason;
    if (!c.organizational.empty()) {
      EXPECT_EQ(result.organizational_domain, c.organizational) << c.name;
      EXPECT_EQ(result.policy_domain, c.policy_domain) << c.name;
    }
  }
}

constexpr auto reject_all = "v=DMARC1; p=reject";
constexpr auto not_passed = Outcome::not_passed;
constexpr auto temporary = Outcome::temporary_error;

TEST(DmarcCheck, passes_what_spf_or_dkim_vouches_for) {
  const World world{{{"example.com", reject_all}}};
  play({
      {"the same by DKIM", world, "example.com", {dkim("example.com")}, "pass none"},
      {"the same by SPF", world, "example.com", {spf("example.com")}, "pass none"},
      {"case does not matter", world, "example.com", {dkim("EXAMPLE.com")}, "pass none"},
      {"below", world, "example.com", {spf("child.example.com")}, "pass none"},
      {"above", world, "child.example.com", {dkim("example.com")}, "pass none"},
      {"beside", world, "news.example.com", {dkim("foo.example.com")}, "pass none"},
      {"another", world, "child.example.com", {spf("example.net")}, "fail reject"},
      {"one of many",
       world,
       "example.com",
       {spf("a.net"), dkim("b.net"), dkim("example.com")},
       "pass none"},
      {"DKIM failed", world, "example.com", {dkim("example.com", not_passed)}, "fail reject"},
      {"SPF failed", world, "example.com", {spf("example.com", not_passed)}, "fail reject"},
      {"nothing", world, "example.com", {}, "fail reject"},
      {"only a suffix", world, "example.com", {dkim("com")}, "fail reject"},
      {"only its end", world, "example.com", {dkim("badexample.com")}, "fail reject"},
      {"no name", world, "example.com", {dkim("example..com"), spf("")}, "fail reject"},
  });
}

TEST(DmarcCheck, holds_strict_alignment_to_the_letter) {
  const World world{{{"example.com", "v=DMARC1; p=reject; adkim=s"}}};
  play({
      {"the same", world, "example.com", {dkim("example.com")}, "pass none"},
      {"below", world, "example.com", {dkim("a.example.com")}, "fail reject"},
      {"above", world, "a.example.com", {dkim("example.com")}, "fail reject"},
      {"SPF is relaxed", world, "example.com", {spf("a.example.com")}, "pass none"},
      {"SPF strict",
       {{{"example.com", "v=DMARC1; p=reject; aspf=s"}}},
       "example.com",
       {spf("a.example.com")},
       "fail reject"},
  });
}

TEST(DmarcCheck, takes_the_policy_that_is_for_the_domain) {
  const auto at = [](const std::string& record) { return World{{{"example.com", record}}}; };
  const auto gone = [](const std::string& record) {
    return World{{{"example.com", record}}, {}, {"a.example.com"}};
  };
  const std::string all = "v=DMARC1; p=reject; sp=quarantine; np=none";
  play({
      {"none", at("v=DMARC1; p=none"), "example.com", {}, "fail none"},
      {"quarantine", at("v=DMARC1; p=quarantine"), "example.com", {}, "fail quarantine"},
      {"p for itself", at(all), "example.com", {}, "fail reject"},
      {"p for itself though it does not exist",
       World{{{"example.com", all}}, {}, {"example.com"}},
       "example.com",
       {},
       "fail reject"},
      {"sp for one that exists", at(all), "a.example.com", {}, "fail quarantine"},
      {"np for one that does not", gone(all), "a.example.com", {}, "fail none"},
      {"sp where np lacks",
       gone("v=DMARC1; p=none; sp=reject"),
       "a.example.com",
       {},
       "fail reject"},
      {"p where both lack", gone(reject_all), "a.example.com", {}, "fail reject"},
      {"p where sp lacks",
       at("v=DMARC1; p=quarantine; np=reject"),
       "a.example.com",
       {},
       "fail quarantine"},
      {"its own record before the one above",
       World{{{"example.com", reject_all}, {"a.example.com", "v=DMARC1; p=none; sp=reject"}}},
       "a.example.com",
       {},
       "fail none"},
      {"the organizational one before one between",
       World{{{"example.com", "v=DMARC1; p=reject"}, {"b.example.com", "v=DMARC1; p=none"}}},
       "a.b.example.com",
       {},
       "fail reject"},
      {"existence not known",
       World{{{"example.com", all}}, {}, {}, {"a.example.com"}},
       "a.example.com",
       {},
       "temperror none"},
  });
}

TEST(DmarcCheck, applies_one_step_less_for_testing) {
  const auto at = [](const std::string& tags) {
    return World{{{"example.com", "v=DMARC1; " + tags}}};
  };
  play({
      {"reject", at("p=reject; t=y"), "example.com", {}, "fail quarantine"},
      {"quarantine", at("p=quarantine; t=y"), "example.com", {}, "fail none"},
      {"none", at("p=none; t=y"), "example.com", {}, "fail none"},
      {"sp", at("p=none; sp=reject; t=y"), "a.example.com", {}, "fail quarantine"},
      {"not testing", at("p=reject; t=n"), "example.com", {}, "fail reject"},
      {"pct=0", at("p=reject; pct=0"), "example.com", {}, "fail quarantine"},
      {"pct=50", at("p=reject; pct=50"), "example.com", {}, "fail reject"},
      {"passing is passing",
       at("p=reject; t=y"),
       "example.com",
       {dkim("example.com")},
       "pass none"},
  });
}

TEST(DmarcCheck, is_none_without_a_record_that_can_be_used) {
  const auto at = [](const std::string& record) { return World{{{"example.com", record}}}; };
  const std::vector good = {dkim("example.com")};
  play({
      {"no record", {}, "example.com", good, "none none"},
      {"another text", at("v=spf1 -all"), "example.com", good, "none none"},
      {"two records",
       World{{{"example.com", reject_all}, {"example.com", "v=DMARC1; p=none"}}},
       "example.com",
       {},
       "none none"},
      {"one beside another text",
       World{{{"example.com", "hello"}, {"example.com", reject_all}}},
       "example.com",
       {},
       "fail reject"},
      {"two at the domain, one above",
       World{{{"a.example.com", reject_all},
              {"a.example.com", reject_all},
              {"example.com", "v=DMARC1; p=quarantine"}}},
       "a.example.com",
       {},
       "fail quarantine"},
      {"wrong policy", at("v=DMARC1; p=bogus"), "example.com", good, "none none"},
      {"wrong policy with reports",
       at("v=DMARC1; p=bogus; rua=mailto:a@x.example"),
       "example.com",
       {},
       "fail none"},
      {"wrong sp with reports",
       at("v=DMARC1; p=reject; sp=x; rua=mailto:a@x.example"),
       "example.com",
       good,
       "pass none"},
      {"no p with reports",
       at("v=DMARC1; sp=reject; rua=mailto:a@x.example"),
       "a.example.com",
       {},
       "fail none"},
  });
}

// RFC 9989 appendix B.4 and section 4.10.2.
TEST(DmarcCheck, walks_as_the_examples_of_rfc_9989_do) {
  const World simple{{{"example.com", reject_all}, {"signing.example.com", "v=DMARC1; p=none"}}};
  const World bank{
      {{"bank.example", "v=DMARC1; p=reject; psd=y"}, {"giant.bank.example", reject_all}}};
  const std::string deep = "a.b.c.d.e.f.g.h.i.j.k.example.com";
  play({
      {"B.4.1 SPF",
       simple,
       "example.com",
       {spf("example.com")},
       "pass none",
       "example.com",
       "example.com"},
      {"B.4.1 DKIM",
       simple,
       "example.com",
       {dkim("signing.example.com")},
       "pass none",
       "example.com",
       "example.com"},
      {"B.4.2 SPF", simple, deep, {spf("example.com")}, "pass none", "example.com", "example.com"},
      {"B.4.2 DKIM",
       simple,
       deep,
       {dkim("signing.example.com")},
       "pass none",
       "example.com",
       "example.com"},
      {"B.4.3 SPF",
       bank,
       "giant.bank.example",
       {spf("mail.giant.bank.example")},
       "pass none",
       "giant.bank.example",
       "giant.bank.example"},
      {"B.4.3 DKIM",
       bank,
       "giant.bank.example",
       {dkim("mail.mega.bank.example")},
       "fail reject",
       "giant.bank.example",
       "giant.bank.example"},
      {"fewest labels",
       World{{{"mail.example.com", reject_all}, {"example.com", "v=DMARC1; p=quarantine"}}},
       "a.mail.example.com",
       {},
       "fail quarantine",
       "example.com",
       "example.com"},
      {"psd=n",
       World{{{"mail.example.com", "v=DMARC1; p=reject; psd=n"},
              {"example.com", "v=DMARC1; p=none"}}},
       "a.mail.example.com",
       {dkim("example.com")},
       "fail reject",
       "mail.example.com",
       "mail.example.com"},
      {"only a public suffix",
       World{{{"com", "v=DMARC1; p=reject; sp=quarantine; psd=y"}}},
       "a.mail.example.com",
       {dkim("other.com")},
       "fail quarantine",
       "example.com",
       "com"},
      {"a public suffix does not align those below it",
       World{{{"com", "v=DMARC1; p=reject; psd=y"}}},
       "a.mail.example.com",
       {dkim("example.com")},
       "pass none",
       "example.com",
       "com"},
      {"a public suffix speaks for itself",
       World{{{"bank.example", "v=DMARC1; p=reject; psd=y"}}},
       "bank.example",
       {dkim("giant.bank.example")},
       "fail reject",
       "bank.example",
       "bank.example"},
      {"psd=n below psd=y",
       World{{{"a.bank.example", "v=DMARC1; p=none; psd=n"},
              {"bank.example", "v=DMARC1; p=reject; psd=y"}}},
       "x.a.bank.example",
       {},
       "fail none",
       "a.bank.example",
       "a.bank.example"},
      // Section 11.8: evil.example.com does not align with mail.example.com where that says psd=n.
      {"an attacker beside",
       World{{{"mail.example.com", "v=DMARC1; p=reject; psd=n"}, {"example.com", reject_all}}},
       "evil.example.com",
       {dkim("mail.example.com")},
       "fail reject",
       "example.com",
       "example.com"},
  });
}

TEST(DmarcCheck, asks_eight_times_at_most_for_one_domain) {
  World world;
  check(world, {{"a.b.c.d.e.f.g.h.i.j.mail.example.com"}, ""}, {});
  const std::vector<std::string> expected = {"_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
                                             "_dmarc.g.h.i.j.mail.example.com",
                                             "_dmarc.h.i.j.mail.example.com",
                                             "_dmarc.i.j.mail.example.com",
                                             "_dmarc.j.mail.example.com",
                                             "_dmarc.mail.example.com",
                                             "_dmarc.example.com",
                                             "_dmarc.com"};
  EXPECT_EQ(world.asked, expected);
  world.asked.clear();
  check(world, {{"a.b.c.d.e.f.example.com"}, ""}, {});
  EXPECT_EQ(world.asked.size(), 8U);
  EXPECT_EQ(world.asked.at(1), "_dmarc.b.c.d.e.f.example.com");
}

TEST(DmarcCheck, asks_no_more_than_it_needs) {
  World world{{{"example.com", reject_all}}};
  check(world, {{"example.com"}, ""}, {dkim("example.com"), spf("b.net", not_passed)});
  EXPECT_EQ(world.asked, std::vector<std::string>{"_dmarc.example.com"}) << "all are the same";
  world.asked.clear();
  check(world, {{"example.com"}, ""}, {dkim("a.net"), spf("b.net")});
  EXPECT_EQ(world.asked, (std::vector<std::string>{"_dmarc.example.com", "_dmarc.com"}))
      << "strangers are not walked";
  world = {{{"example.com", "v=DMARC1; p=reject; adkim=s; aspf=s"}}};
  check(world, {{"example.com"}, ""}, {dkim("a.example.com"), spf("b.net")});
  EXPECT_EQ(world.asked.size(), 1U) << "strict";
}

TEST(DmarcCheck, looks_at_a_bounded_number_of_identifiers) {
  World world{{{"example.com", reject_all}}};
  std::vector<DmarcIdentifier> many;
  for (int i = 0; i < 500; ++i) many.push_back(dkim(fmt::format("a.b.c.d{}.example.com", i)));
  check(world, {{"x.example.com"}, ""}, many);
  EXPECT_LE(world.asked.size(), 8U * (dmarc_identifiers_max + 1));
}

TEST(DmarcCheck, does_not_let_signatures_that_failed_push_out_a_good_one) {
  World world{{{"example.com", reject_all}}};
  std::vector many(50, dkim("example.com", not_passed));
  many.push_back(dkim("example.com"));
  EXPECT_EQ(summary(check(world, {{"example.com"}, ""}, many)), "pass none");
}

TEST(DmarcCheck, is_a_temperror_where_dns_cannot_tell) {
  World broken{{{"example.com", reject_all}}};
  broken.failing = {"a.example.com", "b.c.example.com"};
  World above{{{"a.b.example.com", reject_all}}};
  above.failing = {"b.example.com"};
  World top{{{"example.com", reject_all}}};
  top.failing = {"com"};
  play({
      {"the author's record", broken, "a.example.com", {dkim("a.example.com")}, "temperror none"},
      {"on the way up", broken, "x.b.c.example.com", {}, "temperror none"},
      {"of an identifier", broken, "example.com", {dkim("a.example.com")}, "temperror none"},
      {"of one of two identifiers",
       broken,
       "example.com",
       {dkim("a.example.com"), spf("example.com")},
       "pass none"},
      {"above the author's record",
       above,
       "a.b.example.com",
       {dkim("example.com")},
       "temperror none"},
      {"above, not needed",
       above,
       "a.b.example.com",
       {dkim("a.b.example.com"), spf("a.net")},
       "pass none"},
      {"above, nobody passed", above, "a.b.example.com", {}, "fail reject"},
      {"a top-level domain", top, "example.com", {dkim("a.example.com")}, "pass none"},
      {"a top-level domain, no record", top, "other.com", {}, "none none"},
      {"a check that may align",
       broken,
       "example.com",
       {dkim("example.com", temporary)},
       "temperror none"},
      {"a check that may align relaxed",
       broken,
       "example.com",
       {spf("x.example.com", temporary)},
       "temperror none"},
      {"a check that cannot align",
       broken,
       "example.com",
       {dkim("a.net", temporary)},
       "fail reject"},
      {"another check passed",
       broken,
       "example.com",
       {dkim("example.com", temporary), spf("example.com")},
       "pass none"},
  });
}

// Where records of RFC 7489 meet the tree walk: dmarc_tree_walk.h and docs/decisions.
TEST(DmarcCheck, does_not_let_a_suffix_that_knows_no_psd_join_those_below_it) {
  const auto list = dns::PublicSuffixes::from_text("uk\nco.uk\nhost.net\n");
  ASSERT_TRUE(list);
  const World suffix{{{"co.uk", "v=DMARC1; p=reject; sp=quarantine"}}};
  const World aware{{{"host.net", "v=DMARC1; p=reject; psd=n"}}};
  play({{"two customers",
         suffix,
         "a.co.uk",
         {dkim("evil.co.uk")},
         "fail quarantine",
         "a.co.uk",
         "co.uk"},
        {"one customer", suffix, "x.a.co.uk", {dkim("a.co.uk")}, "pass none", "a.co.uk", "co.uk"},
        {"the suffix itself",
         suffix,
         "co.uk",
         {dkim("evil.co.uk")},
         "fail reject",
         "co.uk",
         "co.uk"},
        {"a suffix that says psd=n",
         aware,
         "a.host.net",
         {dkim("b.host.net")},
         "pass none",
         "host.net",
         "host.net"},
        {"no suffix: the walk is right",
         World{{{"mail.a.co.uk", reject_all}}},
         "mail.a.co.uk",
         {dkim("a.co.uk")},
         "fail reject",
         "mail.a.co.uk",
         "mail.a.co.uk"}},
       &*list);
  play(
      {{"without a list", suffix, "a.co.uk", {dkim("evil.co.uk")}, "pass none", "co.uk", "co.uk"}});
}

TEST(DmarcCheck, does_not_suffer_from_a_suffix_that_cannot_be_asked) {
  const auto list = dns::PublicSuffixes::from_text("uk\nco.uk\n");
  ASSERT_TRUE(list);
  World world{{{"a.co.uk", reject_all}}};
  world.failing = {"co.uk"};
  const std::vector good = {dkim("x.a.co.uk")};
  play({{"with the list", world, "a.co.uk", good, "pass none", "a.co.uk", "a.co.uk"}}, &*list);
  play({{"without it", world, "a.co.uk", good, "temperror none"}});
}

TEST(DmarcCheck, tells_owners_of_older_records_what_they_may_have_counted_on) {
  const auto list = dns::PublicSuffixes::from_text("com\n");
  ASSERT_TRUE(list);
  World world{{{"mail.example.com", reject_all}}};
  const auto result = check(world, {{"mail.example.com"}, ""}, {dkim("example.com")}, &*list);
  EXPECT_EQ(summary(result), "fail reject");
  EXPECT_TRUE(result.reason.contains("RFC 7489 would have let it pass")) << result.reason;
  for (const std::string_view stranger : {"other.com", "example.net"}) {
    world.asked.clear();
    const auto other =
        check(world, {{"mail.example.com"}, ""}, {dkim(std::string(stranger))}, &*list);
    EXPECT_FALSE(other.reason.contains("RFC 7489")) << other.reason;
  }
}

TEST(DmarcCheck, goes_by_the_strictest_of_several_authors) {
  const World world{{{"bank.example", reject_all},
                     {"shop.example", "v=DMARC1; p=quarantine"},
                     {"evil.example", reject_all}}};
  struct Authors {
    std::vector<std::string> domains;
    std::string problem, expected, decided_by;
  };
  const Authors cases[] = {
      {{"evil.example", "bank.example"}, "", "fail reject", "bank.example"},
      {{"shop.example", "bank.example"}, "", "fail reject", "bank.example"},
      {{"evil.example", "shop.example"}, "", "fail quarantine", "shop.example"},
      {{"evil.example", "silent.example"}, "", "none none", "silent.example"},
      {{"evil.example"}, "", "pass none", "evil.example"},
      {{"evil.example"}, "there are 2 From fields", "permerror none", ""},
      {{"bank.example"}, "there are 2 From fields", "fail reject", "bank.example"},
      {{}, "there is no From field", "permerror none", ""},
      {{}, "", "permerror none", ""},
  };
  for (const auto& [domains, problem, expected, decided_by] : cases) {
    World asked = world;
    const auto result = check(asked, {domains, problem}, {dkim("evil.example")});
    EXPECT_EQ(summary(result), expected) << fmt::format("{}", fmt::join(domains, " "));
    EXPECT_EQ(result.author_domain, decided_by);
    EXPECT_FALSE(result.reason.empty());
  }
}

TEST(DmarcCheck, says_what_it_went_by) {
  World world{
      {{"example.com", "v=DMARC1; p=reject; sp=quarantine; t=y; rua=mailto:a@example.com"}}};
  const auto result =
      check(world, {{"a.example.com"}, ""}, {dkim("other.net"), spf("b.net", not_passed)});
  EXPECT_EQ(summary(result), "fail none");
  EXPECT_EQ(result.policy, DmarcPolicy::none);
  EXPECT_EQ(result.found_at, DmarcResult::FoundAt::organizational_domain);
  EXPECT_EQ(result.record->aggregate_reports_to, std::vector<std::string>{"mailto:a@example.com"});
  EXPECT_EQ(result.record_text, world.records.begin()->second);
  EXPECT_EQ(result.reason,
            "passed, but not aligned with a.example.com: DKIM other.net; example.com asks for "
            "sp=quarantine, less one step for testing (t=y)");
  world.asked.clear();
  const auto good = check(world, {{"a.example.com"}, ""}, {dkim("example.com"), spf("b.net")});
  EXPECT_EQ(good.aligned, std::vector{dkim("example.com")});
  EXPECT_EQ(good.reason, "aligned: DKIM example.com");
}

TEST(DmarcResult, goes_into_authentication_results) {
  World world{{{"example.com", reject_all}}};
  const auto failed = auth_method(check(world, {{"example.com"}, ""}, {}));
  EXPECT_EQ(failed.method + "=" + failed.result, "dmarc=fail");
  EXPECT_EQ(failed.properties,
            (std::vector<AuthProperty>{{"header", "from", "example.com"},
                                       {"policy", "dmarc", "reject"}}));
  EXPECT_FALSE(failed.reason.empty());
  world.asked.clear();
  const auto none = auth_method(check(world, {{"example.net"}, ""}, {}));
  EXPECT_EQ(none.result, "none");
  EXPECT_EQ(none.properties, (std::vector<AuthProperty>{{"header", "from", "example.net"}}));
}

}  // namespace
}  // namespace tapal::mailauth
