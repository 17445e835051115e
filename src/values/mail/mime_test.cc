#include "values/mail/mime.h"

#include <random>

#include "values/mail/header.h"
#include "values/mail/message_id.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::mail {
namespace {

TEST(QuotedPrintable, encodes_as_rfc_2045_says) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"plain\r\n", "plain\r\n"},
      {"a=b", "a=3Db"},
      {"gr\xC3\xBCn\n", "gr=C3=BCn\r\n"},
      {"trailing \r\nblank\t\r\n", "trailing=20\r\nblank=09\r\n"},
      {"inner blank\r\n", "inner blank\r\n"},
      {std::string(76, 'x') + "\r\n", std::string(76, 'x') + "\r\n"},
      {std::string(77, 'x'), std::string(75, 'x') + "=\r\nxx"},
      {"a\rb", "a=0Db"},
  };
  for (const auto& [in, out] : cases) EXPECT_EQ(quoted_printable(in), out);
}

TEST(BodyEncodings, read_back_what_was_written_in_short_lines) {
  constexpr unsigned seed = 2045;
  std::mt19937 random(seed);
  for (int i = 0; i < 300; ++i) {
    std::string text;
    const auto size = std::uniform_int_distribution<int>(0, 400)(random);
    for (int k = 0; k < size; ++k) {
      const int byte = std::uniform_int_distribution<int>(0, 300)(random);
      text += byte > 255     ? std::string("\r\n")
              : byte == '\n' ? "n"
                             : std::string(1, static_cast<char>(byte));
    }
    if (text.ends_with('\r')) text += '.';
    const std::string encoded = quoted_printable(text);
    EXPECT_EQ(from_quoted_printable(encoded), text) << "seed " << seed << " case " << i;
    const std::string base64 = base64_body(text);
    EXPECT_EQ(text::from_base64_lines(base64), text);
    for (const std::string& body : {encoded, base64}) {
      for (const auto line : text::split(body, '\n')) EXPECT_LE(line.size(), 77U);
    }
  }
}

using Parameters = std::vector<Parameter>;
struct TypeCase {
  std::string_view name, body, type;
  Parameters parameters;
};

TEST(ContentType, is_read) {
  const TypeCase cases[] = {
      {"plain", "Text/Plain", "text/plain", {}},
      {"parameter", "text/plain; Charset=UTF-8", "text/plain", {{"charset", "UTF-8"}}},
      {"quoted",
       R"(multipart/mixed; boundary="a;\"b=")",
       "multipart/mixed",
       {{"boundary", "a;\"b="}}},
      {"comments",
       "text/plain (c) ; (d) charset (e) = (f) utf-8 (g)",
       "text/plain",
       {{"charset", "utf-8"}}},
      {"folded",
       "text/plain;\r\n\tformat=flowed;\r\n delsp=yes",
       "text/plain",
       {{"format", "flowed"}, {"delsp", "yes"}}},
      {"final semicolon", "text/plain; a=b;", "text/plain", {{"a", "b"}}},
      {"unquoted equals ends it", "text/plain; a=b/c", "text/plain", {{"a", "b/c"}}},
      {"first of two", "text/plain; a=1; A=2", "text/plain", {{"a", "1"}}},
      {"RFC 2231 encoded",
       "attachment; filename*=UTF-8''%e2%82%ac%20rates",
       "attachment",
       {{"filename", "\xE2\x82\xAC rates"}}},
      {"RFC 2231 in pieces",
       "attachment; filename*0*=us-ascii'en'a%20; filename*1=b; filename*2*=%63",
       "attachment",
       {{"filename", "a bc"}}},
      {"RFC 2231 pieces out of order", "x/y; a*1=2; a*0=1", "x/y", {{"a", "12"}}},
      {"RFC 2231 latin-1", "x/y; a*=iso-8859-1''gr%FCn", "x/y", {{"a", "gr\xC3\xBCn"}}},
      {"RFC 2231 broken utf-8", "x/y; a*=UTF-8''gr%FCn", "x/y", {{"a", "gr\xEF\xBF\xBDn"}}},
      {"RFC 2231 unknown charset", "x/y; a*=koi8-r''abc", "x/y", {{"a", "abc"}}},
      {"extended wins", "x/y; a=plain; a*=UTF-8''better", "x/y", {{"a", "better"}}},
      {"encoded word where none may be",
       "x/y; a=\"=?utf-8?q?=C3=BC?=\"",
       "x/y",
       {{"a", "\xC3\xBC"}}},
  };
  for (const auto& [name, body, type, parameters] : cases) {
    const auto content = parse_content_type(body);
    ASSERT_TRUE(content) << name << ": " << content.error().what;
    EXPECT_EQ(content->type, type) << name;
    EXPECT_EQ(content->parameters, parameters) << name;
  }
  std::string latin;
  for (int i = 0; i < 1000; ++i) latin += "%FC";
  EXPECT_EQ(parse_content_type("x/y; a*=iso-8859-1''" + latin)->parameter("a").size(), 2000U);
  EXPECT_EQ(parse_content_type("a/b; c=d")->parameter("c"), "d");
  EXPECT_EQ(parse_content_type("a/b; c=d")->parameter("x"), "");
}

TEST(ContentType, is_refused_when_malformed) {
  for (const std::string_view body : {"",
                                      "  ",
                                      "; a=b",
                                      "text/plain a=b",
                                      "text/plain; a",
                                      "text/plain; a=\"b",
                                      "text/plain (c",
                                      "text/plain; a=b (c"}) {
    EXPECT_FALSE(parse_content_type(body)) << body;
  }
  std::string many = "text/plain";
  for (int i = 0; i < 65; ++i) many += "; a" + std::to_string(i) + "=b";
  EXPECT_FALSE(parse_content_type(many));
}

TEST(Parameters, read_back_what_was_written) {
  const std::string long_name(300, 'n');
  for (const std::string& value :
       {std::string("plain.txt"),
        std::string("two words.txt"),
        std::string("q\"uo\\te"),
        std::string(),
        std::string("\xE0\xA4\xA4\xE0\xA4\xAA\xE0\xA4\xBE\xE0\xA4\xB2 \xE2\x82\xAC.pdf"),
        std::string("%41*'"),
        long_name + " x",
        std::string("a\r\nBcc: b")}) {
    const std::string body = "attachment" + parameter_text("filename", value);
    EXPECT_TRUE(text::is_ascii(body));
    const std::string folded = field("Content-Disposition", body);
    const auto header = HeaderFields::parse(folded);
    ASSERT_TRUE(header) << folded;
    ASSERT_EQ(header->all().size(), 1U);
    const auto content = parse_content_type(header->all()[0].body);
    ASSERT_TRUE(content) << folded;
    EXPECT_EQ(content->parameter("filename"), value) << folded;
  }
}

TEST(Multipart, joins_parts) {
  const Part parts[] = {text_part("hello\n"),
                        attachment_part({"\xE2\x82\xAC.txt", "text/x", "bytes"})};
  EXPECT_EQ(
      multipart_body(parts, "B"),
      "--B\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nhello\r\n\r\n"
      "--B\r\nContent-Type: text/x\r\nContent-Disposition: attachment; "
      "filename*=UTF-8''%E2%82%AC.txt\r\nContent-Transfer-Encoding: base64\r\n\r\nYnl0ZXM=\r\n\r\n"
      "--B--\r\n");
  EXPECT_TRUE(is_boundary_safe(parts, "B"));
  const Part hostile[] = {{"", "x\r\n--B\r\n"}};
  EXPECT_FALSE(is_boundary_safe(hostile, "B"));
}

TEST(TextPart, is_encoded_only_where_needed) {
  EXPECT_EQ(text_part("a\nb").body, "a\r\nb");
  EXPECT_TRUE(text_part("gr\xC3\xBCn").fields.contains("quoted-printable"));
  EXPECT_TRUE(text_part(std::string(999, 'x')).fields.contains("quoted-printable"));
}

TEST(MessageId, is_made_and_known) {
  const std::string id = make_message_id("0123456789abcdef", "x.example");
  EXPECT_EQ(id, "<30313233343536373839616263646566@x.example>");
  EXPECT_TRUE(is_message_id(id));
  EXPECT_TRUE(is_message_id("<\"a@b\"@[192.0.2.1]>"));
  for (const std::string& text : {std::string(""),
                                  std::string("<>"),
                                  std::string("<"),
                                  std::string("<a>"),
                                  std::string("<@b>"),
                                  std::string("<a@>"),
                                  std::string("a@b"),
                                  std::string("<a@b> "),
                                  std::string("<a b@c>"),
                                  std::string("<a@b><c@d>"),
                                  std::string("<a\r\n@b>"),
                                  "<" + std::string(1000, 'a') + "@b>"}) {
    EXPECT_FALSE(is_message_id(text)) << text;
  }
}

}  // namespace
}  // namespace tapal::mail
