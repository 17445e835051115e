#include "protocols/mailauth/authentication_results.h"

#include <gtest/gtest.h>

#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

const AuthenticationResults all_kinds = {
    "mx.example.org",
    {
        {"iprev", "pass", "", "", {{"policy", "iprev", "192.0.2.1"}}},
        {"spf",
         "pass",
         "",
         "",
         {{"smtp", "mailfrom", "ann@example.com"}, {"smtp", "helo", "m.example.com"}}},
        {"dkim",
         "fail",
         "the body has changed",
         "2048 bits",
         {{"header", "d", "example.com"},
          {"header", "s", "s1"},
          {"header", "a", "rsa-sha256"},
          {"header", "b", "aB/+cd=="}}},
        {"dmarc",
         "fail",
         "",
         "",
         {{"header", "from", "example.com"}, {"policy", "dmarc", "reject"}}},
        {"auth", "none"},
    }};

TEST(AuthenticationResults, are_written_a_method_a_line) {
  EXPECT_EQ(authentication_results_field(all_kinds),
            "Authentication-Results: mx.example.org;\r\n"
            "\tiprev=pass policy.iprev=192.0.2.1;\r\n"
            "\tspf=pass smtp.mailfrom=ann@example.com smtp.helo=m.example.com;\r\n"
            "\tdkim=fail (2048 bits) reason=\"the body has changed\" header.d=example.com\r\n"
            "\theader.s=s1 header.a=rsa-sha256 header.b=\"aB/+cd==\";\r\n"
            "\tdmarc=fail header.from=example.com policy.dmarc=reject;\r\n"
            "\tauth=none\r\n");
  EXPECT_EQ(authentication_results_payload({"mx.example.org", {}}), "mx.example.org; none");
}

TEST(AuthenticationResults, keep_to_78_characters_a_line_where_words_allow_it) {
  AuthMethod method{"dkim", "pass"};
  for (int i = 0; i < 30; ++i)
    method.properties.push_back({"header", "d", "a-long-word.example.com"});
  const auto field = authentication_results_field({"mx.example.org", {method}});
  for (const std::string_view line : text::split(field, '\n')) EXPECT_LE(line.size(), 79U) << line;
}

struct ValueCase {
  std::string_view value, written;
};

TEST(AuthenticationResults, quote_what_would_break_out) {
  const ValueCase cases[] = {
      {"plain-token_1.0", "plain-token_1.0"},
      {"@example.com", "@example.com"},
      {"a.b+c@example.com", "a.b+c@example.com"},
      {"\"a b\"@example.com", R"("\"a b\"@example.com")"},
      {"a b@example.com", R"("a b@example.com")"},
      {"a@b; dmarc=pass", R"("a@b; dmarc=pass")"},
      {"2001:db8::1", R"("2001:db8::1")"},
      {"say \"hi\" \\", R"("say \"hi\" \\")"},
      {"a\r\nX: y", R"("a??X: y")"},
      {"a\x01@example.com", "a?@example.com"},
      {"j\xC3\xB6rg@example.com", "\"j\xC3\xB6rg@example.com\""},
  };
  for (const auto& [value, written] : cases)
    EXPECT_EQ(authentication_results_payload(
                  {"x", {{"m", "pass", "", "", {{"a", "b", std::string(value)}}}}}),
              "x;\r\n\tm=pass a.b=" + std::string(written));
  EXPECT_EQ(authentication_results_payload({"a;b", {{"m", "fail", "x; y=pass", "(sad\r\n:\\)"}}}),
            "\"a;b\";\r\n\tm=fail (\\(sad??:\\\\\\)) reason=\"x; y=pass\"");
}

TEST(AuthenticationResults, are_read_as_they_were_written) {
  auto expected = all_kinds;
  for (AuthMethod& method : expected.methods) method.comment.clear();
  const auto read = parse_authentication_results(authentication_results_payload(all_kinds));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, expected);
}

struct ReadCase {
  std::string_view name, text, expected;  // "id| method=result type.name=value ...| ..."
};

std::string summary(const AuthenticationResults& results) {
  std::string text = results.authserv_id;
  for (const AuthMethod& method : results.methods) {
    text += "|" + method.method + "=" + method.result;
    if (!method.reason.empty()) text += " reason=" + method.reason;
    for (const auto& [type, name, value] : method.properties)
      text.append(" ").append(type).append(".").append(name).append("=").append(value);
  }
  return text;
}

// RFC 8601 appendix B and what is out there.
TEST(AuthenticationResults, of_others_are_read) {
  const ReadCase cases[] = {
      {"B.2 none", "example.org 1; none", "example.org"},
      {"B.3",
       "example.com;\r\n     spf=pass smtp.mailfrom=example.net",
       "example.com|spf=pass smtp.mailfrom=example.net"},
      {"B.4",
       "example.com;\r\n  auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n  spf=pass "
       "smtp.mailfrom=example.net",
       "example.com|auth=pass smtp.auth=sender@example.net|spf=pass smtp.mailfrom=example.net"},
      {"B.6",
       "example.com;\r\n      dkim=pass reason=\"good signature\"\r\n        "
       "header.i=@mail-router.example.net;\r\n"
       "      dkim=fail reason=\"bad signature\"\r\n        header.i=@newyork.example.com",
       "example.com|dkim=pass reason=good signature header.i=@mail-router.example.net"
       "|dkim=fail reason=bad signature header.i=@newyork.example.com"},
      {"B.7",
       "foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait "
       "for it) fail\r\n"
       "      policy (A dot can go here) . (like that) expired\r\n      (this surprised me) = (as "
       "I wasn't "
       "expecting it) 1362471462",
       "foo.example.net|dkim=fail policy.expired=1362471462"},
      {"Gmail",
       "mx.google.com;\r\n       dkim=pass header.i=@example.com header.s=s1 header.b=qUf/+a;\r\n  "
       "     "
       "spf=pass (google.com: domain of a@example.com designates 192.0.2.1 as permitted sender) "
       "smtp.mailfrom=a@example.com;\r\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) "
       "header.from=example.com",
       "mx.google.com|dkim=pass header.i=@example.com header.s=s1 header.b=qUf/+a"
       "|spf=pass smtp.mailfrom=a@example.com|dmarc=pass header.from=example.com"},
      {"Microsoft",
       "spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=example.com; dkim=pass (signature was "
       "verified)\r\n "
       "header.d=example.com;dmarc=pass action=none\r\n header.from=example.com;compauth=pass "
       "reason=100",
       "no version"},
      {"actions",
       "x; dmarc=pass action=none header.from=example.com",
       "x|dmarc=pass header.from=example.com"},
      {"nonsense between", "x; ; =; spf; spf=; \"a;b\" ; dkim=pass", "x|dkim=pass"},
      {"a result no one knows the version of", "x; spf/2=pass; dkim/1=fail", "x|dkim=fail"},
      {"semicolons in quotes",
       "x; m=fail reason=\"a; b\\\"\" a.b=c; n=pass",
       "x|m=fail reason=a; b\" a.b=c|n=pass"},
      {"semicolons in comments", "x (;m=pass); m=fail", "x|m=fail"},
      {"quoted id", "\"x y\"; m=fail", "x y|m=fail"},
      {"quoted local part",
       "x; m=pass a.b=\"a b\"@example.com",
       "x|m=pass a.b=\"a b\"@example.com"},
      {"no results", "x", "x"},
      {"cut quote", "x; spf=pass; m=fail reason=\"a; n=pass", "x|spf=pass|m=fail"},
      {"cut comment", "x; spf=pass; m=fail (a; n=pass", "x|spf=pass|m=fail"},
  };
  for (const auto& [name, text, expected] : cases) {
    const auto read = parse_authentication_results(text);
    EXPECT_EQ(read ? summary(*read) : "no version", expected) << name;
  }
}

TEST(AuthenticationResults, are_refused_without_an_id_or_with_another_version) {
  for (const std::string& text : {std::string(),
                                  std::string(" \r\n "),
                                  std::string("; spf=pass"),
                                  std::string("(x"),
                                  std::string("x (y"),
                                  std::string("x 2; spf=pass"),
                                  std::string("\"x; spf=pass"),
                                  std::string(20, '(') + std::string(20, ')') + "x; spf=pass",
                                  "x; spf=pass (" + std::string(64UL * 1024, 'a') + ")"})
    EXPECT_FALSE(parse_authentication_results(text)) << text.substr(0, 40);
}

TEST(AuthenticationResults, are_read_within_limits) {
  std::string text = "x";
  for (int i = 0; i < 1000; ++i) text += "; a=b";
  EXPECT_EQ(parse_authentication_results(text)->methods.size(), 100U);
  text = "x; a=b";
  for (int i = 0; i < 1000; ++i) text += " c.d=e";
  EXPECT_EQ(parse_authentication_results(text)->methods.front().properties.size(), 32U);
}

struct OursCase {
  std::string_view body;
  bool ours = false;
};

TEST(AuthenticationResults, that_say_to_be_ours_are_told) {
  const OursCase cases[] = {
      {"mx.example.org; spf=pass", true},
      {" \r\n\tMX.Example.ORG 1; none", true},
      {"(hi (there)) mx.example.org(x);spf=pass", true},
      {"\"mx.example.org\"; spf=pass", true},
      {"mx.example.org.; spf=pass", true},
      {"mx.example.org/1; spf=pass", true},
      {"mx.example.org", true},
      {"", true},
      {"; spf=pass", true},
      {"(mx", true},
      {"\"mx", true},
      {"mx.example.com; spf=pass", false},
      {"a.mx.example.org; spf=pass", false},
      {"mx.example.org.evil.example; x=mx.example.org", false},
      {"example.org; spf=pass", false},
  };
  for (const auto& [body, ours] : cases) EXPECT_EQ(is_ours(body, "mx.example.org"), ours) << body;
  EXPECT_TRUE(
      is_ours("b\xC3\xBC"
              "cher.example; none",
              "xn--bcher-kva.example"));
}

}  // namespace
}  // namespace tapal::mailauth
