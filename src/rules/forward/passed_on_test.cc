#include "rules/forward/passed_on.h"

#include <gtest/gtest.h>

#include "values/mail/header.h"

namespace tapal::forward {
namespace {

PassedOn to(std::vector<std::string> targets) {
  PassedOn made{.alias = {"any", "own.example"},
                .host_name = "mx.own.example",
                .id = "6H1",
                .now = WallTime(std::chrono::seconds(1'700'000'000))};
  for (const auto& target : targets) made.targets.push_back(mail::parse_address(target).value());
  return made;
}

const std::string original =
    "Received: from a by b; Tue, 14 Nov 2023 22:00:00 +0000\r\n"
    "From: =?utf-8?q?J=C3=B6rg?= <joerg@bank.example>\r\nTo: any@own.example\r\n"
    "Subject: your\r\n account\r\nMessage-ID: <1@bank.example>\r\n";

TEST(PassedOn, says_where_the_mail_came_to_and_where_it_goes) {
  EXPECT_EQ(forward_fields(to({"me@far.example"})),
            "X-Forwarded-To: me@far.example\r\nX-Forwarded-For: any@own.example "
            "me@far.example\r\nDelivered-To: any@own.example\r\n");
}

TEST(PassedOn, does_not_tell_one_target_of_another) {
  const auto fields = forward_fields(to({"me@far.example", "you@far.example"}));
  EXPECT_EQ(fields.find("far.example"), std::string::npos);
  EXPECT_TRUE(fields.contains("Delivered-To: any@own.example\r\n"));
}

TEST(PassedOn, puts_the_alias_in_From_and_lets_the_author_be_answered) {
  const auto changed = with_alias_as_author(original, to({"me@far.example"})).value();
  const auto fields = mail::HeaderFields::parse(changed).value();
  const auto from = mail::parse_mailbox_list(fields.body_of("From")).value();
  ASSERT_EQ(from.size(), 1U);
  EXPECT_EQ(from[0].address.text(), "any@own.example");
  EXPECT_EQ(from[0].name, "Jörg (joerg@bank.example) via own.example");
  EXPECT_EQ(mail::parse_mailbox_list(fields.body_of("Reply-To")).value()[0].address.text(),
            "joerg@bank.example");
  EXPECT_EQ(fields.count("From"), 1U);
  EXPECT_TRUE(fields.body_of("X-Original-From").contains("joerg@bank.example"));
  EXPECT_TRUE(changed.contains("Subject: your\r\n account\r\n"));
}

TEST(PassedOn, leaves_the_Reply_To_that_is_there_and_drops_a_second_From) {
  const auto changed =
      with_alias_as_author(original + "Reply-To: team@bank.example\r\nFrom: x@evil.example\r\n",
                           to({"me@far.example"}))
          .value();
  const auto fields = mail::HeaderFields::parse(changed).value();
  EXPECT_EQ(fields.count("Reply-To"), 1U);
  EXPECT_EQ(fields.body_of("Reply-To"), "team@bank.example");
  EXPECT_EQ(fields.count("From"), 1U);
  EXPECT_FALSE(with_alias_as_author("To: a@b.example\r\n", to({})));
}

TEST(PassedOn, wraps_a_message_in_one_from_the_alias) {
  const auto header = wrapping_header(original, to({"me@far.example"}));
  const auto fields = mail::HeaderFields::parse(header).value();
  EXPECT_EQ(mail::parse_mailbox_list(fields.body_of("From")).value()[0].address.text(),
            "any@own.example");
  EXPECT_EQ(fields.body_of("Subject"), "your account");
  EXPECT_EQ(fields.body_of("Content-Type"), "message/rfc822");
  EXPECT_EQ(fields.body_of("References"), "<1@bank.example>");
  EXPECT_EQ(fields.body_of("Message-ID"), "<6H1.wrapped@mx.own.example>");
  EXPECT_EQ(fields.count("Date"), 1U);
}

TEST(PassedOn, wraps_what_has_no_header_to_speak_of) {
  for (const std::string_view odd : {"", "From: no address\r\n", ": :\r\n", "Subject: \xff\r\n"}) {
    const auto header = wrapping_header(odd, to({"me@far.example"}));
    const auto fields = mail::HeaderFields::parse(header);
    ASSERT_TRUE(fields) << odd;
    EXPECT_EQ(fields->count("From"), 1U);
    EXPECT_EQ(mail::parse_mailbox_list(fields->body_of("From")).value()[0].address.text(),
              "any@own.example");
  }
}

}  // namespace
}  // namespace tapal::forward
