#include "protocols/mailauth/dmarc_tree_walk.h"

#include "protocols/mailauth/test_dmarc.h"

namespace tapal::mailauth {
namespace {

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

}  // namespace
}  // namespace tapal::mailauth
