#include "protocols/smtp/command.h"

#include <vector>

#include <gtest/gtest.h>

#include "protocols/smtp/xtext.h"

namespace tapal::smtp {
namespace {

const Extensions everything{Extension::size,
                            Extension::eight_bit_mime,
                            Extension::binary_mime,
                            Extension::smtputf8,
                            Extension::dsn,
                            Extension::require_tls,
                            Extension::auth};

std::string status_of(const Reply& reply) {
  return std::to_string(reply.code) + " " + reply.status;
}

TEST(Command, is_split_into_verb_and_argument) {
  struct Case {
    std::string_view line;
    Verb verb;
    std::string_view argument;
  };
  const std::vector<Case> cases = {
      {"NOOP", Verb::noop, ""},
      {"noop  hello  world ", Verb::noop, "hello  world"},
      {"Mail FROM:<>", Verb::mail, "FROM:<>"},
      {"MAILFROM:<>", Verb::unknown, ""},
      {"", Verb::unknown, ""},
      {" EHLO x", Verb::unknown, "EHLO x"},
      {"GET / HTTP/1.1", Verb::foreign, "/ HTTP/1.1"},
      {"connect", Verb::foreign, ""},
      {"GETS", Verb::unknown, ""},
  };
  for (const Case& each : cases) {
    const CommandLine command = split_command(each.line);
    EXPECT_EQ(command.verb, each.verb) << each.line;
    EXPECT_EQ(command.argument, each.argument) << each.line;
  }
}

TEST(Command, takes_helo_names_of_the_two_kinds_only) {
  const std::string label(63, 'a');
  for (const std::string& good : {std::string("a.example"),
                                  std::string("localhost"),
                                  std::string("a.example."),
                                  std::string("my_host.example"),
                                  std::string("[192.0.2.1]"),
                                  std::string("[IPv6:::1]"),
                                  std::string("[ipv6:2001:db8::1]"),
                                  label + ".example",
                                  std::string("1.2.3.4")})
    EXPECT_TRUE(parse_helo(good)) << good;
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string("a..b"),
                                 std::string("-a"),
                                 std::string("a-"),
                                 std::string("[192.0.2.1"),
                                 std::string("[::1]"),
                                 std::string("[IPv6:192.0.2.1]"),
                                 std::string("[]"),
                                 std::string("a b"),
                                 std::string("a\"b"),
                                 label + "a",
                                 label + "." + label + "." + label + "." + label + ".example",
                                 std::string("<a>")})
    EXPECT_FALSE(parse_helo(bad)) << bad;
}

TEST(Command, reads_every_parameter_of_mail) {
  const auto command = parse_mail(
      "FROM:<a@b.example> size=99999999999999999999 Body=BinaryMime REQUIRETLS ret=full "
      "ENVID=a+2Bb AUTH=c+40d.example",
      everything);
  ASSERT_TRUE(command) << one_line(command.error());
  EXPECT_EQ(command->declared_bytes, UINT64_MAX);
  EXPECT_EQ(command->authorized_as, "c@d.example");
  EXPECT_EQ(command->envelope.body, mail::BodyType::binary_mime);
  EXPECT_EQ(command->envelope.return_content, mail::ReturnContent::full);
  EXPECT_EQ(command->envelope.envelope_id, "a+b");
  EXPECT_TRUE(command->envelope.require_tls);
  EXPECT_FALSE(command->envelope.smtputf8);
  EXPECT_EQ(parse_mail("FROM:<> AUTH=<>", everything)->authorized_as, "");
}

TEST(Command, refuses_bad_mail_with_the_right_status) {
  struct Case {
    std::string argument;
    std::string_view status;
  };
  const std::vector<Case> cases = {
      {"", "501 5.5.4"},
      {"FROM", "501 5.5.4"},
      {"FROM:", "501 5.1.7"},
      {"FROM:a@b.example", "501 5.1.7"},
      {"FROM:<a@b.example> X=1", "555 5.5.4"},
      {"FROM:<a@b.example> SIZE=-1", "501 5.5.4"},
      {"FROM:<a@b.example> SIZE=999999999999999999999", "501 5.5.4"},
      {"FROM:<a@b.example> SIZE=", "501 5.5.4"},
      {"FROM:<a@b.example> BODY=7BIT=8", "501 5.5.4"},
      {"FROM:<a@b.example> ENVID=" + std::string(101, 'a'), "501 5.5.4"},
      {"FROM:<a@b.example> ENVID=a+2b", "501 5.5.4"},
      {"FROM:<a@b.example> ENVID=a+2", "501 5.5.4"},
      {"FROM:<a@b.example> AUTH=nobody", "501 5.5.4"},
      {"FROM:<a@b.example> REQUIRETLS=yes", "501 5.5.4"},
      {"FROM:<a@b.example> size=1 SIZE=1", "501 5.5.4"},
      {"FROM:<\xC3\xA9@b.example>", "553 5.6.7"},
      {"FROM:<a@b.example> A B C D E F G H I J K L M N O P Q", "501 5.5.4"},
  };
  for (const Case& each : cases) {
    const auto command = parse_mail(each.argument, everything);
    ASSERT_FALSE(command) << each.argument;
    EXPECT_EQ(status_of(command.error()), each.status) << each.argument;
  }
}

TEST(Command, knows_only_what_is_offered) {
  EXPECT_TRUE(parse_mail("FROM:<> BODY=BINARYMIME", everything));
  const Extensions few{Extension::eight_bit_mime};
  EXPECT_TRUE(parse_mail("FROM:<> BODY=8BITMIME", few));
  EXPECT_EQ(status_of(parse_mail("FROM:<> BODY=BINARYMIME", few).error()), "501 5.5.4");
  const Reply reply = parse_mail("FROM:<> SIZE=1", few).error();
  EXPECT_EQ(status_of(reply), "555 5.5.4");
  EXPECT_NE(one_line(reply).find("SIZE"), std::string::npos);
}

TEST(Command, reads_recipients) {
  RcptContext context{everything, false, "post.example"};
  const auto recipient =
      parse_rcpt("TO:<@relay.example:b@c.example> NOTIFY=failure,DELAY", context);
  ASSERT_TRUE(recipient);
  EXPECT_EQ(recipient->address.text(), "b@c.example");
  EXPECT_TRUE(recipient->notify.failure && recipient->notify.delay && !recipient->notify.success);
  EXPECT_EQ(parse_rcpt("TO:<POSTMASTER> NOTIFY=NEVER", context)->address.text(),
            "postmaster@post.example");
  EXPECT_EQ(parse_rcpt("TO:<a@b.example> ORCPT=x-id;4+3D2", context)->original, "x-id;4=2");

  struct Case {
    std::string argument;
    std::string_view status;
  };
  const std::vector<Case> cases = {
      {"TO:<>", "501 5.1.3"},
      {"TO:<postmaster", "501 5.1.3"},
      {"TO:<postmaster>x", "501 5.1.3"},
      {"TO:<a@b.example> NOTIFY=", "501 5.5.4"},
      {"TO:<a@b.example> NOTIFY=SOMETIMES", "501 5.5.4"},
      {"TO:<a@b.example> ORCPT=rfc822;" + std::string(500, 'a'), "501 5.5.4"},
      {"TO:<a@b.example> ORCPT=;a", "501 5.5.4"},
      {"TO:<a@b.example> ORCPT=rfc822;", "501 5.5.4"},
      {"TO:<a@b.example> ORCPT=utf-8;\xC3\xA9@b.example", "501 5.5.4"},
      {"TO:<a@b.example> ORCPT=rfc822;a+FF", "501 5.5.4"},
      {"TO:<a@b.example> BODY=7BIT", "555 5.5.4"},
      {"TO:<\xC3\xA9@b.example>", "553 5.6.7"},
  };
  for (const Case& each : cases) {
    const auto refused = parse_rcpt(each.argument, context);
    ASSERT_FALSE(refused) << each.argument;
    EXPECT_EQ(status_of(refused.error()), each.status) << each.argument;
  }
  context.smtputf8 = true;
  EXPECT_EQ(parse_rcpt("TO:<a@b.example> ORCPT=utf-8;\xC3\xA9@b.example", context)->original,
            "utf-8;\xC3\xA9@b.example");
}

TEST(Command, reads_bdat) {
  EXPECT_EQ(parse_bdat("0")->bytes, 0u);
  EXPECT_FALSE(parse_bdat("12")->last);
  EXPECT_TRUE(parse_bdat("12 last")->last);
  EXPECT_TRUE(parse_bdat("18446744073709551615"));
  for (const std::string_view bad :
       {"", "x", "-1", "+1", "1x", "18446744073709551616", "1 FIRST", "1 LAST LAST", "LAST"})
    EXPECT_FALSE(parse_bdat(bad)) << bad;
}

TEST(Command, reads_auth) {
  EXPECT_EQ(parse_auth("plain")->mechanism, "PLAIN");
  EXPECT_EQ(parse_auth("PLAIN")->initial_response, std::nullopt);
  EXPECT_EQ(parse_auth("PLAIN =")->initial_response, "");
  EXPECT_EQ(parse_auth("PLAIN YQ==")->initial_response, "a");
  EXPECT_EQ(status_of(parse_auth("").error()), "501 5.5.4");
  EXPECT_EQ(status_of(parse_auth("PLAIN YQ").error()), "501 5.5.2");
  EXPECT_EQ(status_of(parse_auth("PLAIN YQ== YQ==").error()), "501 5.5.2");
  EXPECT_EQ(status_of(parse_auth(std::string(21, 'A')).error()), "501 5.5.4");
}

TEST(Xtext, comes_back_as_it_was) {
  EXPECT_EQ(encode_xtext("a+b=c d"), "a+2Bb+3Dc+20d");
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    const auto back = decode_xtext(encode_xtext(text));
    if (byte < 0x20 || byte == 0x7F) {
      EXPECT_FALSE(back) << byte;
    } else {
      EXPECT_EQ(back, text) << byte;
    }
  }
}

TEST(Xtext, decodes_the_utf8_forms) {
  EXPECT_EQ(decode_utf8_address("\\x{E9}\\x{1F600}@x"), "\xC3\xA9\xF0\x9F\x98\x80@x");
  EXPECT_EQ(decode_utf8_address("\xC3\xA9"), "\xC3\xA9");
  for (const std::string_view bad : {"\\x{}",
                                     "\\x{0A}",
                                     "\\x{D800}",
                                     "\\x{110000}",
                                     "\\x{e9}",
                                     "\\x{E9",
                                     "\\",
                                     "a b",
                                     "\xFF",
                                     "+"})
    EXPECT_FALSE(decode_utf8_address(bad)) << bad;
}

}  // namespace
}  // namespace tapal::smtp
