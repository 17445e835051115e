#include "rules/bounce/returned_mail.h"

#include "rules/bounce/delivery_report.h"
#include "rules/bounce/notice_text.h"
#include "values/mail/dsn.h"

namespace tapal::bounce {
namespace {

const BounceRules& rules() {
  static const BounceRules shipped = BounceRules::read("", "").value();
  return shipped;
}

// "kind" or "address category hardness fate status" for each recipient.
std::string shown(std::string_view message) {
  const auto mail = read_returned_mail(message, rules());
  if (mail.kind != NoticeKind::bounce) return std::string(text_of(mail.kind));
  std::string all;
  for (const Returned& one : mail.returned)
    all += fmt::format("{} {} {} {} {}\n",
                       one.recipient,
                       row_of(one.diagnosis.category).name,
                       one.diagnosis.is_hard ? "hard" : "soft",
                       text_of(one.fate),
                       one.diagnosis.status);
  return all;
}

TEST(ReturnedMail, reads_our_own_notices) {
  mail::DeliveryReport report;
  report.host = "mail.x.example";
  report.to = mail::parse_address("asha@x.example").value();
  report.boundary = "=_b";
  report.message_id = "<1@x.example>";
  mail::RecipientReport one;
  one.recipient = mail::parse_address("ravi@y.example").value();
  one.status = "5.1.1";
  one.reply = "550 5.1.1 no such user";
  report.recipients.push_back(one);
  one.recipient = mail::parse_address("\"j d\"@z.example").value();
  one.status = "4.2.2";
  one.reply = "452 4.2.2 mailbox full";
  one.action = mail::Action::delayed;
  report.recipients.push_back(one);
  report.original = "Subject: x\r\n";
  EXPECT_EQ(shown(mail::compose(report).text),
            "ravi@y.example no_such_user hard failed 5.1.1\n"
            "\"j d\"@z.example mailbox_full soft delayed 4.2.2\n");
}

constexpr std::string_view from_daemon =
    "From: MAILER-DAEMON@x.example\r\nTo: asha@x.example\r\nSubject: failure notice\r\n\r\n";

TEST(ReturnedMail, reads_words) {
  EXPECT_EQ(shown(std::string(from_daemon) +
                  "Sorry. Contact <postmaster@x.example> for help.\r\n\r\n"
                  "<ravi@y.example>:\r\n192.0.2.1 does not like recipient.\r\n"
                  "Remote host said: 550 5.1.1 User unknown\r\n\r\n"
                  "<full@y.example>:\r\nRemote host said: 552 5.2.2 Mailbox full\r\n\r\n"
                  "--- Below this line is a copy of the message.\r\n\r\n"
                  "Received: x\r\nTo: other@z.example\r\n"),
            "ravi@y.example no_such_user hard failed 5.1.1\n"
            "full@y.example mailbox_full soft failed 5.2.2\n");
  // The reason stands before the address.
  EXPECT_EQ(shown(std::string(from_daemon) + "Not delivered because of\r\n550 User unknown\r\n"
                                             "The following recipients were affected:\r\n"
                                             "ravi@y.example\r\n"),
            "ravi@y.example no_such_user hard failed 5.1.1\n");
  EXPECT_EQ(shown(std::string(from_daemon) + "Something went wrong.\r\n"),
            " other soft failed 5.0.0\n");
}

TEST(ReturnedMail, tells_other_kinds_apart) {
  EXPECT_EQ(shown("From: ravi@y.example\r\nSubject: Monsoon\r\n\r\nIt rains.\r\n"), "no_notice");
  EXPECT_EQ(shown("From: ravi@y.example\r\nSubject: Out of office\r\n\r\nBack on Monday.\r\n"),
            "auto_reply");
  EXPECT_EQ(shown("From: fbl@y.example\r\nSubject: FW: x\r\nContent-Type: multipart/report; "
                  "report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n"),
            "complaint");
  EXPECT_EQ(shown(""), "no_notice");
}

TEST(DeliveryReport, is_found_without_its_blank_lines) {
  const auto found = reported_recipients(
      "Reporting-MTA: dns; x\r\nOriginal-Recipient: rfc822;a@x.example\r\n"
      "Final-Recipient: rfc822; <a@x.example>\r\nAction: Failed\r\nStatus: 5.0.0 (permanent)\r\n"
      "Diagnostic-Code: smtp; 550 no\r\n such user\r\n"
      "Final-Recipient: rfc822;b@x.example\r\nAction: delayed\r\n"
      "Status: #4.0.0 (host name lookup failure)\r\n",
      10);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].recipient, "a@x.example");
  EXPECT_EQ(found[0].action, "failed");
  EXPECT_EQ(found[0].status, "5.0.0");
  EXPECT_EQ(found[0].diagnostic, "550 no such user");
  EXPECT_EQ(found[1].recipient, "b@x.example");
  EXPECT_EQ(found[1].status, "4.0.0");
  EXPECT_EQ(found[1].diagnostic, "host name lookup failure");
}

TEST(DeliveryReport, ends_at_its_limits) {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "Final-Recipient: rfc822;a@x.example\r\nStatus: 5.0.0\r\n\r\n";
  EXPECT_EQ(reported_recipients(text, 7).size(), 7U);
  EXPECT_TRUE(reported_recipients("no report: at all\r\n", 7).empty());
  EXPECT_TRUE(reported_recipients("", 7).empty());
}

TEST(NoticeText, knows_codes_and_stages) {
  EXPECT_EQ(code_told("host mx[192.0.2.1] said: 550 5.1.1 x"), 550);
  EXPECT_EQ(code_told("450-4.2.1 x"), 450);
  EXPECT_EQ(code_told("for 432000 seconds, 5 days, port 5025"), 0);
  EXPECT_EQ(code_told(""), 0);
  EXPECT_EQ(phase_told("550 x (in reply to RCPT TO command)"), Phase::recipient);
  EXPECT_EQ(phase_told("SMTP error from remote mail server after MAIL FROM:<a>"), Phase::mail);
  EXPECT_EQ(phase_told("554 x (in reply to end of DATA command)"), Phase::end);
  EXPECT_EQ(phase_told("554 x"), std::nullopt);
}

}  // namespace
}  // namespace tapal::bounce
