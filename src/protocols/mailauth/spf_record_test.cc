#include "protocols/mailauth/spf_record.h"

#include <vector>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

TEST(SpfRecord, is_known_by_its_version) {
  for (const std::string good : {"v=spf1", "v=spf1 ", "v=spf1 -all", "V=SpF1 -all", "v=spf1  mx"})
    EXPECT_TRUE(SpfRecord::has_version(good)) << good;
  for (const std::string bad : {"",
                                "v=spf",
                                "v=spf10",
                                "v=spf1-all",
                                "v=spf1\t-all",
                                " v=spf1",
                                "v=spf2.0/pra",
                                "v = spf1"})
    EXPECT_FALSE(SpfRecord::has_version(bad)) << bad;
}

TEST(SpfRecord, reads_every_mechanism) {
  const auto record = SpfRecord::parse(
      "v=spf1 a A:a.example/24//64 mx/16 -mx:m.example ?ptr ptr:p.example ~ip4:192.0.2.0/24 "
      "+ip6:2001:DB8::/32 include:i.example exists:%{i}.e.example -ALL");
  ASSERT_TRUE(record) << record.error().what;
  using enum SpfMechanism;
  const std::vector<SpfMechanism> mechanisms = {
      a, a, mx, mx, ptr, ptr, ip4, ip6, include, exists, all};
  using enum SpfVerdict;
  const std::vector<SpfVerdict> verdicts = {
      pass, pass, pass, fail, neutral, pass, softfail, pass, pass, pass, fail};
  ASSERT_EQ(record->terms.size(), mechanisms.size());
  for (std::size_t i = 0; i < mechanisms.size(); ++i) {
    EXPECT_EQ(record->terms[i].mechanism, mechanisms[i]) << i;
    EXPECT_EQ(record->terms[i].verdict, verdicts[i]) << i;
    EXPECT_EQ(record->terms[i].asks_dns(), i != 6 && i != 7 && i != 10) << i;
  }
  EXPECT_FALSE(record->terms[0].target);
  EXPECT_TRUE(record->terms[1].target);
  EXPECT_EQ(record->terms[1].text, "A:a.example/24//64");
  EXPECT_EQ(record->terms[1].ip4_bits, 24);
  EXPECT_EQ(record->terms[1].ip6_bits, 64);
  EXPECT_EQ(record->terms[2].ip4_bits, 16);
  EXPECT_EQ(record->terms[2].ip6_bits, 128);
  EXPECT_EQ(record->terms[6].address, IpAddress::from_text("192.0.2.0"));
  EXPECT_EQ(record->terms[6].ip4_bits, 24);
  EXPECT_EQ(record->terms[7].ip6_bits, 32);
}

TEST(SpfRecord, reads_modifiers_wherever_they_stand) {
  const auto record = SpfRecord::parse(
      "v=spf1 exp=e.example moo.cow-far_out=man:dog/cat mx default= REDIRECT=r.example all=x "
      "all=x");
  ASSERT_TRUE(record) << record.error().what;
  EXPECT_TRUE(record->redirect);
  EXPECT_TRUE(record->explanation);
  EXPECT_EQ(record->terms.size(), 1U);
}

struct Case {
  std::string term;
  bool good = false;
};

// RFC 7208 section 12: what stands behind "v=spf1 ".
TEST(SpfRecord, is_spoiled_by_an_error_anywhere) {
  const std::vector<Case> cases = {
      {"", true},
      {"   ", true},
      {"mx  -all ", true},
      {"-all moo", false},
      {"mx\r-all", false},
      {"mx\t-all", false},
      {"\x80mx", false},
      {"a:\xef\xbb\xbfgarbage.example", false},
      {"+", false},
      {"--all", false},
      {"- all", false},
      // all
      {"all:example.com", false},
      {"all.", false},
      {"all/8", false},
      {"all:", false},
      // include, exists
      {"include", false},
      {"include:", false},
      {"include:example.com/24", false},
      {"include/24", false},
      {"include:example", false},
      {"exists", false},
      {"exists:", false},
      {"exists:example.com/8", false},
      {"exists:%{d}", true},
      // a, mx
      {"a", true},
      {"a:", false},
      {"a/0", true},
      {"a/00", false},
      {"a/032", false},
      {"a/32", true},
      {"a/33", false},
      {"a/", false},
      {"a/x", false},
      {"a/-1", false},
      {"a/4294967297", false},
      {"a//0", true},
      {"a//00", false},
      {"a//128", true},
      {"a//129", false},
      {"a//", false},
      {"a/24//64", true},
      {"a/24/64", false},
      {"a//64/24", false},
      {"a/24///64", false},
      {"a///64", false},
      {"a:example.com/0//0", true},
      {"a:example.com//033", false},
      {"a:example.com:8080", false},
      {"a:foo:bar/baz.example.com", true},
      {"a:foo:bar/baz.example.com/24", true},
      {"a:example.com/baz/24", false},
      {"a:111.222.33.44", false},
      {"a:%{d}/24//48", true},
      {"a.example.com", false},
      {"mx", true},
      {"mx:", false},
      {"mx//33", true},
      {"mx/33", false},
      {"mx:example.com/24", true},
      // ptr
      {"ptr", true},
      {"ptr:", false},
      {"ptr/0", false},
      {"ptr:example.com/24", false},
      // ip4
      {"ip4", false},
      {"ip4:", false},
      {"ip4:1.2.3.4", true},
      {"ip4:1.2.3", false},
      {"ip4:1.2.3.04", false},
      {"ip4:1.2.3.256", false},
      {"ip4:1.2.3.4.5", false},
      {"ip4:1.2.3.4:8080", false},
      {"ip4:1.2.3.4/", false},
      {"ip4:1.2.3.4/0", true},
      {"ip4:1.2.3.4/32", true},
      {"ip4:1.2.3.4/032", false},
      {"ip4:1.2.3.4/33", false},
      {"ip4:1.2.3.4//32", false},
      {"ip4:1.2.3.4/24/24", false},
      {"ip4/24", false},
      {"ip4:::1", false},
      {"ip4:::ffff:1.2.3.4", false},
      {std::string("ip4:1.2.3.4\0", 12), false},
      {"ip4:example.com", false},
      // ip6
      {"ip6", false},
      {"ip6:", false},
      {"ip6:::1", true},
      {"ip6::", false},
      {"ip6:::", true},
      {"ip6::CAFE::BABE", false},
      {"ip6:CAFE:BABE:8000::/33", true},
      {"ip6:1:2:3:4:5:6:7:8", true},
      {"ip6:1:2:3:4:5:6:7:8:9", false},
      {"ip6:::1.2.3.4/0", true},
      {"ip6:::1/128", true},
      {"ip6:::1/129", false},
      {"ip6:::1/00", false},
      {"ip6:::1//33", false},
      {"ip6:1.2.3.4", false},
      {"ip6:fe80::1%eth0", false},
      // modifiers
      {"redirect", false},
      {"redirect=", false},
      {"redirect:example.com", false},
      {"-redirect=example.com", false},
      {"redirect=example.com redirect=example.com", false},
      {"redirect=example.com/24", false},
      {"redirect=%{c}.example.com", false},
      {"exp", false},
      {"exp=", false},
      {"exp=-all", false},
      {"exp=a.example EXP=a.example", false},
      {"exp=%{r}.example", false},
      {"exp=mx:example.com", true},
      {"1up=x", false},
      {"=all", false},
      {"_x=y", false},
      {"moo.cow/far_out=x", false},
      {"moo.cow:far_out=x", false},
      {"foo=", true},
      {"foo=%abc", false},
      {"foo=%{c}", false},
      {"foo=%{d}%{i}", true},
      {"foo=%{q}", false},
      {"default=+", true},
  };
  for (const Case& c : cases)
    EXPECT_EQ(SpfRecord::parse("v=spf1 " + c.term).has_value(), c.good) << c.term;
}

TEST(SpfRecord, says_which_term_is_wrong) {
  EXPECT_EQ(SpfRecord::parse("v=spf1 mx moo -all").error().what, "\"moo\": no such mechanism");
  EXPECT_EQ(SpfRecord::parse("v=spf1 a/33").error().what, "\"a/33\": no such mask can be");
  EXPECT_EQ(SpfRecord::parse("v=spf1 exp=a.b exp=a.b").error().what, "\"exp=a.b\": there twice");
}

TEST(SpfTerm, masks_within_a_family) {
  const auto covers =
      [](const std::string& term, std::string_view center, std::string_view client) {
        return SpfRecord::parse("v=spf1 " + term)
            ->terms.at(0)
            .covers(IpAddress::from_text(center).value(), IpAddress::from_text(client).value());
      };
  EXPECT_TRUE(covers("a/24//64", "192.0.2.1", "192.0.2.255"));
  EXPECT_FALSE(covers("a/24//64", "192.0.2.1", "192.0.3.1"));
  EXPECT_TRUE(covers("a/24//64", "2001:db8::1", "2001:db8::ffff"));
  EXPECT_FALSE(covers("a/24//64", "2001:db8::1", "2001:db8:0:1::1"));
  EXPECT_TRUE(covers("a/0", "192.0.2.1", "198.51.100.1"));
  EXPECT_FALSE(covers("a/0//0", "192.0.2.1", "2001:db8::1"));
  EXPECT_FALSE(covers("a/0//0", "2001:db8::1", "192.0.2.1"));
  EXPECT_FALSE(covers("ip6:::/0", "::", "192.0.2.1"));
  EXPECT_FALSE(covers("ip6:::ffff:192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"));
}

}  // namespace
}  // namespace tapal::mailauth
