#include "services/intake/submission_header.h"

#include <gtest/gtest.h>

#include "services/intake/test_domains.h"

namespace tapal::intake {
namespace {

const Domains& domains() {
  static const Domains all = test_domains();
  return all;
}

const Client alice{Client::Standing::user, "alice@own.example"};
const Client bob{Client::Standing::user, "bob@own.example"};
constexpr WallTime now{std::chrono::days(20'779)};

std::expected<SubmissionHeader, smtp::Reply> complete(const Client& client,
                                                      std::string_view block,
                                                      mail::HeaderLimits limits = {}) {
  const SubmissionFacts facts{now, "0123456789abcdef", "mx.own.example"};
  return complete_header(domains(), client, block, facts, limits);
}

const std::string from = "From: alice@own.example\r\n";
const std::string date = "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n";
const std::string id = "Message-ID: <a@b.example>\r\n";

TEST(CompleteHeader, adds_what_is_missing) {
  const auto done = complete(alice, from + "Subject: x\r\n");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->text,
            from +
                "Subject: x\r\n"
                "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n"
                "Message-ID: <30313233343536373839616263646566@own.example>\r\n");
  EXPECT_EQ(done->message_id, "<30313233343536373839616263646566@own.example>");
  EXPECT_EQ(done->subject, "x");
  EXPECT_EQ(done->from.text(), "alice@own.example");
}

TEST(CompleteHeader, keeps_what_is_there_byte_for_byte) {
  const std::string block = "subject:  folded\r\n\tand odd \r\nFROM:alice@own.example (A)\r\n" +
                            date + id + "X-Own: \xC3\xA9\r\nTo: =?utf-8?q?x?= <x@far.example>\r\n";
  const auto done = complete(alice, block);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->text, block);
  EXPECT_EQ(done->message_id, "<a@b.example>");
}

TEST(CompleteHeader, takes_out_what_must_not_leave) {
  const auto done = complete(alice,
                             "Return-Path: <x@y.example>\r\nBCC: hidden@far.example,\r\n "
                             "other@far.example\r\n" +
                                 from + date + "Resent-Bcc: z@far.example\r\n" + id);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->text, from + date + id);
}

TEST(CompleteHeader, answers_with_the_reason) {
  struct Case {
    const char* name;
    std::string block;
    std::string_view expected;  // part of the reply; empty: accepted
  };
  const Case cases[] = {
      {"two From", from + from, "2 From fields"},
      {"no From", date + id, "no From field"},
      {"no header at all", "", "no From field"},
      {"three Subject", from + "Subject: a\r\nSubject: b\r\nsubject: c\r\n", "3 Subject fields"},
      {"two Sender",
       from + "Sender: alice@own.example\r\nSender: alice@own.example\r\n",
       "2 Sender"},
      {"two Reply-To", from + "Reply-To: a@b.example\r\nReply-To: a@b.example\r\n", "2 Reply-To"},
      {"two To", from + "To: a@b.example\r\nTo: a@b.example\r\n", "2 To"},
      {"two Cc", from + "Cc: a@b.example\r\nCc: a@b.example\r\n", "2 Cc"},
      {"two Date", from + date + date, "2 Date"},
      {"two Message-ID", from + id + id, "2 Message-ID"},
      {"two Content-Type", from + "Content-Type: a/b\r\nContent-Type: a/b\r\n", "2 Content-Type"},
      {"two Received are right", from + "Received: x\r\nReceived: y\r\n", ""},
      {"two Bcc go together", from + "Bcc: a@b.example\r\nBcc: a@b.example\r\n", ""},
      {"empty From", "From: \r\n", "the From field on line 1"},
      {"From without an address", "Subject: x\r\nFrom: Alice\r\n", "the From field on line 2"},
      {"empty group", "From: nobody:;\r\n", "the From field on line 1"},
      {"another user", "From: bob@own.example\r\n", "may not send as bob@own.example"},
      {"a foreign address", "From: alice@far.example\r\n", "may not send as alice@far.example"},
      {"name of one, address of another",
       "From: \"alice@own.example\" <bob@own.example>\r\n",
       "may not send as bob@own.example"},
      {"many authors, all of them alice", "From: alice@own.example, info@own.example\r\n", ""},
      {"many authors, one is not",
       "From: alice@own.example, bob@own.example\r\n",
       "may not send as bob@own.example"},
      {"group of authors, one is not",
       "From: us: alice@own.example, bob@own.example;\r\n",
       "may not send as bob@own.example"},
      {"alias", "From: Info <info@own.example>\r\n", ""},
      {"Sender is another",
       from + "Sender: bob@own.example\r\n",
       "may not send as bob@own.example (Sender field)"},
      {"Sender is alice", from + "Sender: alice+x@own.example\r\n", ""},
      {"no colon", from + "what is this\r\n", "line 2"},
      {"no end of the last line", from + "X: y", "line 2"},
      {"bare LF", from + "X: a\nb\r\n", "line 2"},
      {"NUL", from + std::string("X: a\0b\r\n", 8), "line 2"},
      {"fold with nothing before it", " folded\r\n" + from, "line 1"},
      {"line of 999 bytes", from + "X: " + std::string(996, 'x') + "\r\n", "line 2"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto done = complete(alice, c.block);
    if (c.expected.empty()) {
      EXPECT_TRUE(done) << (done ? "" : smtp::one_line(done.error()));
      continue;
    }
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, 550);
    EXPECT_TRUE(smtp::one_line(done.error()).contains(c.expected)) << smtp::one_line(done.error());
  }
}

TEST(CompleteHeader, lets_a_grant_be_used_and_takes_the_first_author) {
  const auto done = complete(bob, "From: x@partner.example, bob@own.example\r\n");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->from.text(), "x@partner.example");
  EXPECT_TRUE(done->message_id.ends_with("@partner.example>"));
}

TEST(CompleteHeader, refuses_a_header_over_the_limits) {
  const auto long_one =
      complete(alice, from + "X: " + std::string(500, 'x') + "\r\n", {.bytes_max = 400});
  ASSERT_FALSE(long_one);
  EXPECT_EQ(long_one.error().code, 550);
  std::string many = from;
  for (int i = 0; i < 20; ++i) many += "X: y\r\n";
  EXPECT_FALSE(complete(alice, many, {.fields_max = 20}));
  EXPECT_TRUE(complete(alice, many, {.fields_max = 21}));
}

}  // namespace
}  // namespace tapal::intake
