#include "protocols/mailauth/reverse_name.h"

#include <gtest/gtest.h>

#include "protocols/mailauth/test_zone.h"

namespace tapal::mailauth {
namespace {

TestZone zone() {
  TestZone zone(R"(
1.2.0.192.in-addr.arpa. PTR mail.example.
mail.example. A 192.0.2.9
mail.example. A 192.0.2.1
2.2.0.192.in-addr.arpa. PTR mail.example.
3.2.0.192.in-addr.arpa. PTR nowhere.example.
3.2.0.192.in-addr.arpa. PTR broken.example.
3.2.0.192.in-addr.arpa. PTR Alias.example.
3.2.0.192.in-addr.arpa. PTR three.example.
alias.example. CNAME three.example.
three.example. A 192.0.2.3
4.2.0.192.in-addr.arpa. PTR nowhere.example.
4.2.0.192.in-addr.arpa. PTR broken.example.
5.2.0.192.in-addr.arpa. TXT "no name"
6.2.0.192.in-addr.arpa. CNAME 6.sub.2.0.192.in-addr.arpa.
6.sub.2.0.192.in-addr.arpa. PTR six.example.
six.example. A 192.0.2.6
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR v6.example.
v6.example. AAAA 2001:db8::1
v6.example. A 192.0.2.1
)");
  zone.with_failing("broken.example").with_failing("9.2.0.192.in-addr.arpa");
  return zone;
}

IprevResult check(std::string_view ip, const TestZone& from = zone()) {
  ReverseNameCheck core(IpAddress::from_text(ip).value());
  EXPECT_EQ(core.result().verdict, IprevVerdict::temperror);
  answer_all(core, from);
  return core.result();
}

using Names = std::vector<std::string>;

TEST(ReverseNameCheck, gives_the_results_of_rfc_8601_section_3) {
  const auto pass = check("192.0.2.1");
  EXPECT_EQ(pass.verdict, IprevVerdict::pass);
  EXPECT_EQ(pass.names, Names{"mail.example"});
  EXPECT_EQ(pass.reason, "192.0.2.1 and mail.example lead to each other");
  EXPECT_EQ(check("2001:db8::1").names, Names{"v6.example"});
  EXPECT_EQ(check("192.0.2.2").verdict, IprevVerdict::fail);
  EXPECT_EQ(check("192.0.2.4").verdict, IprevVerdict::temperror);
  EXPECT_EQ(check("192.0.2.5").verdict, IprevVerdict::permerror);
  EXPECT_EQ(check("192.0.2.7").verdict, IprevVerdict::permerror);
  EXPECT_EQ(check("192.0.2.9").verdict, IprevVerdict::temperror);
  EXPECT_EQ(iprev_verdict_text(IprevVerdict::permerror), "permerror");
}

TEST(ReverseNameCheck, passes_over_names_that_fail_and_follows_aliases) {
  EXPECT_EQ(check("192.0.2.3").names, (Names{"alias.example", "three.example"}));
  EXPECT_EQ(check("192.0.2.6").names, Names{"six.example"});
}

TEST(ReverseNameCheck, tries_ten_names_at_most) {
  std::string text;
  for (int i = 0; i < 10; ++i)
    text += "1.2.0.192.in-addr.arpa. PTR no" + std::to_string(i) + ".example.\n";
  text += "1.2.0.192.in-addr.arpa. PTR eleventh.example.\neleventh.example. A 192.0.2.1\n";
  ReverseNameCheck core(IpAddress::from_text("192.0.2.1").value());
  EXPECT_EQ(answer_all(core, TestZone(text)).size(), 11U);
  EXPECT_EQ(core.result().verdict, IprevVerdict::fail);
}

TEST(ReverseNameCheck, asks_for_the_family_of_the_client) {
  ReverseNameCheck core(IpAddress::from_text("2001:db8::1").value());
  const auto asked = answer_all(core, zone());
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].type, dns::Type::ptr);
  EXPECT_EQ(asked[1], (dns::Lookup{"v6.example", dns::Type::aaaa}));
}

}  // namespace
}  // namespace tapal::mailauth
