#include "protocols/mailauth/spf_macro.h"

#include <vector>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

using Use = SpfMacroText::Use;

// The sender and addresses of RFC 7208 section 7.4.
SpfMacroValues values_of(std::string_view ip) {
  SpfMacroValues values;
  values.local_part = "strong-bad";
  values.sender_domain = "email.example.com";
  values.domain = "email.example.com";
  values.helo = "mx.example.org";
  values.ip = IpAddress::from_text(ip).value();
  values.now = WallTime(std::chrono::milliseconds(1'700'000'000'999));
  return values;
}

std::string expanded(std::string_view text, const SpfMacroValues& values) {
  const auto macro = SpfMacroText::parse(text, Use::explanation);
  if (!macro) return "error: " + macro.error().what;
  return macro->expand(values, 10'000).value_or("too long");
}

struct Expansion {
  std::string text;
  std::string result;
};

TEST(SpfMacroText, expands_the_examples_of_rfc_7208_section_7_4) {
  const std::vector<Expansion> cases = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
      {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
  };
  for (const auto& [text, result] : cases)
    EXPECT_EQ(expanded(text, values_of("192.0.2.3")), result) << text;
  const auto name = SpfMacroText::parse("%{ir}.%{v}._spf.%{d2}", Use::domain).value();
  EXPECT_EQ(dns_name_of(name.expand_domain(values_of("2001:db8::cb01"))),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com");
}

TEST(SpfMacroText, expands_every_letter_and_transformer) {
  auto values = values_of("2001:db8::1");
  values.local_part = "~jack&jill=up-a_b3.c";
  const std::vector<Expansion> cases = {
      {"%{c}", "2001:db8::1"},
      {"%{v}", "ip6"},
      {"%{h}", "mx.example.org"},
      {"%{p} %{r}", "unknown unknown"},
      {"%{t}", "1700000000"},
      {"100%%%_or%-so", "100% or%20so"},
      {"%{L}", "~jack%26jill%3Dup-a_b3.c"},
      {"%{S1-}", "a_b3.c%40email.example.com"},
      {"%{l1+-&}", "error: \"%{l1+-&}\" is no macro"},
      {"%{lr=_}", "b3.c.up-a.~jack&jill"},
      {"%{d127}", "email.example.com"},
      {"%{d99999999999999999999999}", "email.example.com"},
      {"%{d02R}", "example.email"},
      {"%{d,}", "email.example.com"},
      {"", ""},
  };
  for (const auto& [text, result] : cases) EXPECT_EQ(expanded(text, values), result) << text;
  values.ip = IpAddress::from_text("192.0.2.1").value();
  values.client_name = "client.example";
  values.host_name = "mx.tapal.example";
  EXPECT_EQ(expanded("%{c} %{i} %{p} %{r} %{P}", values),
            "192.0.2.1 192.0.2.1 client.example mx.tapal.example client.example");
}

struct Grammar {
  std::string text;
  bool in_domain = false;
  bool in_modifier = false;
  bool in_explanation = false;
};

TEST(SpfMacroText, holds_to_the_grammar_of_rfc_7208_section_7_1) {
  const std::vector<Grammar> cases = {
      // Everywhere the same.
      {"%{d}", true, true, true},
      {"%{ir}.%{v}.example.com", true, true, true},
      {"example.com%%", true, true, true},
      {"%", false, false, false},
      {"%{d", false, false, false},
      {"%{}", false, false, false},
      {"%{d0}", false, false, false},
      {"%{d000}.example", false, false, false},
      {"%{dr2}", false, false, false},
      {"%{d.2}", false, false, false},
      {"%{drr}", false, false, false},
      {"%{d*}", false, false, false},
      {"%{dd}", false, false, false},
      {"%{a}.example.com", false, false, false},
      {"%{x}", false, false, false},
      {"%(ir).example.com", false, false, false},
      {"foo%.example.com", false, false, false},
      {"%a.example.com", false, false, false},
      {std::string("a\0.example", 10), false, false, false},
      {"a\t.example", false, false, false},
      {"a\x7f.example", false, false, false},
      {"\xc3\xbc.example", false, false, false},
      // Spaces are for explanations.
      {"not here.example", false, false, true},
      // So are these letters (section 7.2).
      {"%{c}", false, false, true},
      {"%{R}", false, false, true},
      {"%{t}.example", false, false, true},
      // domain-end: a top label or a macro.
      {"", false, true, true},
      {"museum", false, true, true},
      {"museum.", false, true, true},
      {"example.com", true, true, true},
      {"example.com.", true, true, true},
      {"example.com..", false, true, true},
      {"mail.example...com", true, true, true},
      {".com", true, true, true},
      {"foo:bar/baz.example.com", true, true, true},
      {"example.com:8080", false, true, true},
      {"example.com/24", false, true, true},
      {"example.-com", false, true, true},
      {"example.com-", false, true, true},
      {"example.a-b", true, true, true},
      {"example.1-2", true, true, true},
      {"example.c_m", false, true, true},
      {"111.222.33.44", false, true, true},
      {"abc.123", false, true, true},
      {"abc.1x3", true, true, true},
      {"%{d}com", false, true, true},
      {"%{d}.com", true, true, true},
      {"a.c%%om", false, true, true},
      {"_spf.%{d2}", true, true, true},
  };
  for (const Grammar& c : cases) {
    EXPECT_EQ(SpfMacroText::parse(c.text, Use::domain).has_value(), c.in_domain) << c.text;
    EXPECT_EQ(SpfMacroText::parse(c.text, Use::modifier).has_value(), c.in_modifier) << c.text;
    EXPECT_EQ(SpfMacroText::parse(c.text, Use::explanation).has_value(), c.in_explanation)
        << c.text;
  }
}

TEST(SpfMacroText, cuts_a_long_name_from_the_left_at_a_label) {
  auto values = values_of("192.0.2.1");
  const std::string label(60, 'x');
  values.local_part = label + "." + label + "." + label + "." + label;  // 243 bytes
  const auto fits = SpfMacroText::parse("%{l}.a.example.", Use::domain).value();
  EXPECT_EQ(fits.expand_domain(values), values.local_part + ".a.example");  // 253
  const auto one_more = SpfMacroText::parse("%{l}.ab.example", Use::domain).value();
  EXPECT_EQ(one_more.expand_domain(values), values.local_part.substr(61) + ".ab.example");
  const auto many =
      SpfMacroText::parse("%{d}.%{l}.%{l}.%{s}.%{s}.%{s}.tail.example", Use::domain).value();
  const std::string cut = many.expand_domain(values);
  EXPECT_TRUE(cut.ends_with(label + "@email.example.com.tail.example"));
  EXPECT_LE(cut.size(), 253U);
  EXPECT_GT(cut.size(), 253U - 61U);
  // A cut that falls on a dot loses nothing more.
  values.local_part = std::string(200, 'y') + "." + std::string(240, 'z');
  EXPECT_EQ(SpfMacroText::parse("%{l}.a.b.example", Use::domain).value().expand_domain(values),
            std::string(240, 'z') + ".a.b.example");
}

TEST(SpfMacroText, does_not_write_more_than_it_may) {
  const auto text = SpfMacroText::parse("%{s}%{s}%{s}", Use::explanation).value();
  EXPECT_EQ(text.expand(values_of("192.0.2.1"), 84)->size(), 84U);
  EXPECT_FALSE(text.expand(values_of("192.0.2.1"), 83));
}

TEST(SpfMacroText, knows_its_letters) {
  const auto text = SpfMacroText::parse("p.%{P}.%{d}.example", Use::domain).value();
  EXPECT_TRUE(text.uses('p'));
  EXPECT_TRUE(text.uses('d'));
  EXPECT_FALSE(text.uses('e'));
}

TEST(SpfClientName, is_the_own_name_before_one_below_before_any) {
  const std::vector<std::string> names = {"other.example.", "mail.example.com", "example.com"};
  EXPECT_EQ(spf_client_name(names, "Example.com"), "example.com");
  EXPECT_EQ(spf_client_name({names.data(), 2}, "example.com"), "mail.example.com");
  EXPECT_EQ(spf_client_name({names.data(), 1}, "example.com"), "other.example.");
  EXPECT_EQ(spf_client_name({}, "example.com"), "");
}

TEST(DnsNameOf, takes_what_dns_can_be_asked_for) {
  EXPECT_EQ(dns_name_of("Mail.Example.COM"), "mail.example.com");
  EXPECT_EQ(dns_name_of("jumpin' jupiter.a\\b"), "jumpin'\\032jupiter.a\\\\b");
  EXPECT_EQ(dns_name_of("foo:bar/baz.example.com"), "foo:bar/baz.example.com");
  for (const std::string bad : {"", ".", "a..b", ".a", "a.", "\xc3\xbc.example"})
    EXPECT_FALSE(dns_name_of(bad)) << bad;
  EXPECT_TRUE(dns_name_of(std::string(63, 'a') + ".example"));
  EXPECT_FALSE(dns_name_of(std::string(64, 'a') + ".example"));
}

}  // namespace
}  // namespace tapal::mailauth
