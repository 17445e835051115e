#include "values/text/idna.h"

namespace tapal::text {
namespace {

struct DomainCase {
  std::string_view name, in, out;
};

TEST(Idna, turns_domains_into_ascii) {
  const DomainCase cases[] = {
      {"ascii", "Mail.Example.COM", "mail.example.com"},
      {"one label", "localhost", "localhost"},
      {"final dot", "example.com.", "example.com"},
      {"umlaut",
       "B\xC3\xBC"
       "cher.example",
       "xn--bcher-kva.example"},
      {"decomposed",
       "Bu\xCC\x88"
       "cher.example",
       "xn--bcher-kva.example"},
      {"sharp s is kept (non-transitional)", "fa\xC3\x9F.de", "xn--fa-hia.de"},
      {"ideographic dot",
       "a\xE3\x80\x82"
       "b",
       "a.b"},
      {"a-label", "XN--bcher-KVA.example", "xn--bcher-kva.example"},
      {"hindi", "\xE0\xA4\xA1\xE0\xA4\xBE\xE0\xA4\x95.example", "xn--11bx1g.example"},
      {"digits within", "3com.4u", "3com.4u"},
      {"label of 63",
       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk.de",
       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk.de"},
  };
  for (const auto& [name, in, out] : cases) {
    const auto ascii = domain_to_ascii(in);
    ASSERT_TRUE(ascii) << name << ": " << ascii.error().what;
    EXPECT_EQ(*ascii, out) << name;
  }
}

TEST(Idna, refuses_what_is_no_domain) {
  const std::pair<std::string_view, std::string> cases[] = {
      {"empty", ""},
      {"only a dot", "."},
      {"empty label", "a..b"},
      {"leading dot", ".a"},
      {"two final dots", "a.."},
      {"leading hyphen", "-a.b"},
      {"trailing hyphen", "a.b-"},
      {"underscore", "a_b.c"},
      {"space", "a b.c"},
      {"label of 64", std::string(64, 'a') + ".de"},
      {"254 characters",
       [] {
         std::string long_name;
         for (int i = 0; i < 127; ++i) long_name += "a.";
         return long_name.substr(0, 252) + "bc";
       }()},
      {"all numeric", "192.0.2.1"},
      {"NUL", std::string("a\0b", 3)},
      {"broken utf-8", "\xC3.de"},
      {"disallowed character", "a\xE2\x80\xAE.de"},
      {"label over 63 once encoded",
       [] {
         std::string label;
         for (int i = 0; i < 60; ++i) label += "\xC3\xBC";
         return label + ".de";
       }()},
      {"far too long", std::string(5000, 'a')},
  };
  for (const auto& [name, in] : cases) EXPECT_FALSE(domain_to_ascii(in)) << name;
}

TEST(Idna, shows_domains_to_people) {
  EXPECT_EQ(domain_to_unicode("xn--bcher-kva.example"),
            "b\xC3\xBC"
            "cher.example");
  EXPECT_EQ(domain_to_unicode("example.com"), "example.com");
  EXPECT_FALSE(domain_to_unicode("xn--\x80.com"));
}

}  // namespace
}  // namespace tapal::text
