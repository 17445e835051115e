#include "protocols/mailauth/dmarc_check.h"

#include "protocols/mailauth/test_dmarc.h"

namespace tapal::mailauth {
namespace {

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
