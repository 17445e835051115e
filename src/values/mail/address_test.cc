#include "values/mail/address.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "values/text/utf8.h"

namespace tapal::mail {
namespace {

struct AddressCase {
  std::string_view name, text, local, domain, printed;
};

TEST(Address, takes_what_rfc_5321_allows) {
  const AddressCase cases[] = {
      {"plain", "User@Example.COM", "User", "example.com", "User@example.com"},
      {"dots and plus", "a.b+c@x.example", "a.b+c", "x.example", "a.b+c@x.example"},
      {"quoted needlessly", R"("john"@x.example)", "john", "x.example", "john@x.example"},
      {"quoted with space",
       R"("john doe"@x.example)",
       "john doe",
       "x.example",
       R"("john doe"@x.example)"},
      {"quoted at sign", R"("a@b"@x.example)", "a@b", "x.example", R"("a@b"@x.example)"},
      {"quoted pair", R"("a\"\\b"@x.example)", R"(a"\b)", "x.example", R"("a\"\\b"@x.example)"},
      {"empty local part", R"(""@x.example)", "", "x.example", R"(""@x.example)"},
      {"IPv4 literal", "a@[192.0.2.1]", "a", "[192.0.2.1]", "a@[192.0.2.1]"},
      {"IPv6 literal", "a@[ipv6:2001:DB8::1]", "a", "[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
      {"IDN domain",
       "a@b\xC3\xBC"
       "cher.example",
       "a",
       "xn--bcher-kva.example",
       "a@xn--bcher-kva.example"},
      {"UTF-8 local part in NFC",
       "u\xCC\x88@x.example",
       "\xC3\xBC",
       "x.example",
       "\xC3\xBC@x.example"},
      {"percent means nothing", "a%b@x.example", "a%b", "x.example", "a%b@x.example"},
  };
  for (const auto& [name, text, local, domain, printed] : cases) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << name << ": " << address.error().what;
    EXPECT_EQ(address->local, local) << name;
    EXPECT_EQ(address->domain, domain) << name;
    EXPECT_EQ(address->text(), printed) << name;
    EXPECT_EQ(parse_address(printed), *address) << name;
  }
}

TEST(Address, says_what_is_wrong) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "it has no domain"},
      {"user", "it has no domain"},
      {"@x.example", "the part before the @ is missing"},
      {"a@", "the domain is missing"},
      {"a b@x.example", "the part before the @ has to be quoted"},
      {"a..b@x.example", "the part before the @ has to be quoted"},
      {R"("a"b@x.example)", "something stands between the quotes and the @"},
      {R"("a@x.example)", "its quoted part is malformed"},
      {"\"a\rb\"@x.example", "its quoted part is malformed"},
      {"a@x.example.", "the domain ends with a dot"},
      {"a@x@y", "only letters, digits and hyphens may be in it"},
      {"a@[1.2.3]", "the address literal is not as in RFC 5321"},
      {"a@[IPv6:1.2.3.4]", "the address literal is not as in RFC 5321"},
      {"a@[::1]", "the address literal is not as in RFC 5321"},
      {"a@[", "the address literal is not as in RFC 5321"},
      {"a\xC3@x.example", "it is not valid UTF-8"},
      {"a\xC2\x85@x.example", "it has control characters"},
      {std::string(65, 'a') + "@x.example", "more than 64 octets"},
      {std::string(64, 'a') + "@" + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
           std::string(60, 'd') + ".example",
       "more than 254 octets"},
      {std::string(3000, 'a'), "it is too long"},
  };
  for (const auto& [text, what] : cases) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Code::invalid);
    EXPECT_TRUE(address.error().what.contains(what)) << address.error().what;
  }
}

TEST(Address, compares_by_key_without_case) {
  EXPECT_EQ(parse_address("J\xC3\x96RG@X.example")->key(),
            parse_address("j\xC3\xB6rg@x.EXAMPLE")->key());
  EXPECT_NE(parse_address("a@x.example")->key(), parse_address("b@x.example")->key());
  EXPECT_TRUE(parse_address("a@x.example")->is_ascii());
  EXPECT_FALSE(parse_address("\xC3\xB6@x.example")->is_ascii());
  EXPECT_TRUE(parse_address("a@[192.0.2.1]")->has_literal());
}

struct PathCase {
  std::string_view name, text, address, rest;
};

TEST(Path, is_read_with_what_follows) {
  const PathCase cases[] = {
      {"null", "<>", "", ""},
      {"plain", "<a@x.example>", "a@x.example", ""},
      {"parameters",
       "<a@x.example>  SIZE=10 BODY=8BITMIME",
       "a@x.example",
       "SIZE=10 BODY=8BITMIME"},
      {"bracket in quotes", R"(<"a>b"@x.example> X)", R"("a>b"@x.example)", "X"},
      {"quote in quotes", R"(<"a\">b"@x.example>)", R"("a\">b"@x.example)", ""},
      {"source route", "<@r.example,@s.example:a@x.example>", "a@x.example", ""},
      {"source route by literal", "<@[IPv6:::1]:a@x.example>", "a@x.example", ""},
      {"postmaster", "<PostMaster>", "postmaster@our.example", ""},
  };
  for (const auto& [name, text, address, rest] : cases) {
    const auto path = parse_path(text, "our.example");
    ASSERT_TRUE(path) << name << ": " << path.error().what;
    EXPECT_EQ(path->address ? path->address->text() : "", address) << name;
    EXPECT_EQ(path->rest, rest) << name;
  }
}

TEST(Path, is_refused_when_malformed) {
  for (const std::string_view text : {"",
                                      "a@x.example",
                                      "<",
                                      "<a@x.example",
                                      "<a@x.example>SIZE=1",
                                      "<a@x.example>>",
                                      "<<a@x.example>>",
                                      "< a@x.example>",
                                      "<a@x.example >",
                                      "< >",
                                      "<@r.example>",
                                      "<@r.example:>",
                                      "<@:a@x.example>",
                                      "<@r.example,s.example:a@x.example>",
                                      "<@[1.2.3.4:a@x.example>",
                                      "<@",
                                      "<@>",
                                      "<\"a@x.example>",
                                      "<postmaster>",
                                      "<user>"}) {
    EXPECT_FALSE(parse_path(text)) << text;
  }
}

// tests.xml of isemail: https://github.com/dominicsayers/isemail
struct CorpusCase {
  std::string address, category, diagnosis;
};

std::string decoded(std::string_view xml) {
  std::string text;
  while (!xml.empty()) {
    char32_t character = 0;
    if (xml.starts_with("&amp;")) {
      text += '&';
      xml.remove_prefix(5);
    } else if (xml.starts_with("&#x")) {
      const std::size_t end = xml.find(';');
      character =
          static_cast<char32_t>(std::stoul(std::string(xml.substr(3, end - 3)), nullptr, 16));
      // The corpus writes control characters as their symbols.
      text += text::utf8_encode(character >= 0x2400 && character < 0x2421 ? character - 0x2400
                                                                          : character);
      xml.remove_prefix(end + 1);
    } else {
      text += xml.front();
      xml.remove_prefix(1);
    }
  }
  return text;
}

std::vector<CorpusCase> read_corpus() {
  const char* folder = std::getenv("TAPAL_CORPORA");
  const std::filesystem::path root =
      folder != nullptr ? std::filesystem::path(folder)
                        : std::filesystem::path(TAPAL_SOURCE_FOLDER) / "../shared/corpora";
  std::ifstream file(root / "address/test/tests.xml", std::ios::binary);
  const std::string xml{std::istreambuf_iterator<char>(file), {}};
  const std::regex test(
      R"(<test id="\d+">\s*<address(?:/>|>([^<]*)</address>)[\s\S]*?<category>(\w+)</category>\s*<diagnosis>(\w+)<)");
  std::vector<CorpusCase> cases;
  for (std::sregex_iterator match(xml.begin(), xml.end(), test), end; match != end; ++match) {
    cases.push_back({decoded((*match)[1].str()), (*match)[2], (*match)[3]});
  }
  return cases;
}

TEST(Address, agrees_with_the_isemail_corpus) {
  const auto corpus = read_corpus();
  if (corpus.empty()) GTEST_SKIP() << "the corpora are absent: set TAPAL_CORPORA";
  EXPECT_EQ(corpus.size(), 164U);
  int refused = 0;
  int taken = 0;
  for (const auto& [text, category, diagnosis] : corpus) {
    const auto address = parse_address(text);
    const auto in_list = parse_mailbox_list(text);
    if (category == "ISEMAIL_ERR") {
      ++refused;
      EXPECT_FALSE(address) << testing::PrintToString(text);
    }
    if (category == "ISEMAIL_VALID_CATEGORY" || category == "ISEMAIL_DNSWARN") {
      ++taken;
      EXPECT_TRUE(address) << text;
      EXPECT_TRUE(in_list && in_list->size() == 1 && in_list->front().address == *address) << text;
    }
    // Comments and folding white space belong to header fields alone.
    const bool is_folded =
        category == "ISEMAIL_CFWS" || diagnosis == "ISEMAIL_DEPREC_CFWS_NEAR_AT" ||
        diagnosis == "ISEMAIL_DEPREC_FWS" || diagnosis == "ISEMAIL_DEPREC_COMMENT" ||
        diagnosis == "ISEMAIL_DEPREC_LOCALPART";
    if (is_folded) {
      EXPECT_FALSE(address) << text;
      EXPECT_TRUE(in_list) << text << ": " << in_list.error().what;
    }
  }
  EXPECT_GT(refused, 60);
  EXPECT_GT(taken, 15);
}

}  // namespace
}  // namespace tapal::mail
