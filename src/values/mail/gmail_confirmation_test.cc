#include "values/mail/gmail_confirmation.h"

#include <gtest/gtest.h>

#include "values/mail/mime.h"
#include "values/text/base64.h"

namespace tapal::mail {
namespace {

using Kind = GmailConfirmation::Kind;

constexpr std::string_view link = "https://mail.google.com/mail/f-%5BABC-def_1%5D-xYz";

// A message with LF for CRLF.
std::string message(std::string_view text) {
  std::string lines;
  for (const char c : text) {
    if (c == '\n') lines += '\r';
    lines += c;
  }
  return lines;
}

std::string text_body() {
  return "You have requested to add ann@example.com to your Gmail account.\n"
         "Confirmation code: 987654321\n\nPlease click the link below to confirm:\n\n" +
         std::string(link) + "\n\nTo cancel: https://mail.google.com/mail/u-%5BABC-def_1%5D-no\n";
}

const std::string from = "From: Gmail Team <gmail-noreply@google.com>\nTo: ann@example.com\n";

TEST(GmailConfirmation, is_read_in_the_forms_it_comes_in) {
  const std::string subject =
      "Subject: (#123456789) Gmail Confirmation - Send Mail as ann@example.com\n";
  struct Case {
    std::string_view name;
    std::string text;
    Kind kind;
    std::string_view code;
    std::string_view link;
  };
  const std::string quoted = quoted_printable(text_body());
  const std::string encoded = text::to_base64(text_body());
  const std::string part = "Content-Type: text/plain\n\n" + text_body();
  const Case cases[] = {
      {"plain", from + subject + "\n" + text_body(), Kind::send_as, "123456789", link},
      {"code in the text",
       from + "Subject: Gmail\n\n" + text_body(),
       Kind::send_as,
       "987654321",
       link},
      {"forwarding",
       "From: forwarding-noreply@google.com\nSubject: (#123456789) Gmail Forwarding Confirmation - "
       "Receive Mail from a@gmail.com\n\nhttps://mail-settings.google.com/mail/uf-no\n"
       "https://mail-settings.google.com/mail/vf-yes\n",
       Kind::forwarding,
       "123456789",
       "https://mail-settings.google.com/mail/vf-yes"},
      {"German",
       from + "Subject: =?UTF-8?Q?(=23123456789)_Gmail-Best=C3=A4tigung?=\n\n" + text_body(),
       Kind::send_as,
       "123456789",
       link},
      {"quoted-printable",
       from + subject +
           "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n" + quoted,
       Kind::send_as,
       "123456789",
       link},
      {"base64",
       from + subject + "Content-Transfer-Encoding: BASE64\n\n" + encoded + "\n",
       Kind::send_as,
       "123456789",
       link},
      {"multipart",
       from +
           "Subject: Gmail\nContent-Type: multipart/alternative; boundary=\"x y\"\n\nignored\n--x "
           "y\n" +
           part + "--x y\nContent-Type: text/html\n\n<a href=\"https://evil.example/\">\n--x y--\n",
       Kind::send_as,
       "987654321",
       link},
      {"HTML alone",
       from + subject + "Content-Type: text/html\n\n<a href=\"" + std::string(link) + "\">x</a>",
       Kind::send_as,
       "123456789",
       link},
      {"no body", from + subject, Kind::send_as, "123456789", ""},
      {"no code", from + "Subject: Gmail (#12)\n\n" + std::string(link), Kind::send_as, "", link},
  };
  for (const auto& [name, text, kind, code, to] : cases) {
    SCOPED_TRACE(name);
    const auto read = read_gmail_confirmation(message(text));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->kind, kind);
    EXPECT_EQ(read->code, code);
    EXPECT_EQ(read->link, to);
  }
}

TEST(GmailConfirmation, is_not_seen_in_other_messages) {
  const std::string subject = "Subject: (#123456789) Gmail Confirmation\n\n";
  const std::pair<std::string_view, std::string> cases[] = {
      {"another sender", "From: gmail-noreply@google.com.evil.example\n" + subject},
      {"a name only", "From: \"gmail-noreply@google.com\" <x@evil.example>\n" + subject},
      {"two authors", "From: gmail-noreply@google.com, x@evil.example\n" + subject},
      {"two fields", from + "From: gmail-noreply@google.com\n" + subject},
      {"no author", subject},
      {"neither code nor link", from + "Subject: Gmail\n\nhello\n"},
      {"a link elsewhere",
       from + "Subject: Gmail\n\nhttps://mail.google.com.evil.example/mail/f-x\n"},
      {"a link that revokes", from + "Subject: Gmail\n\nhttps://mail.google.com/mail/u-x\n"},
      {"too long", from + subject + std::string(gmail_confirmation_bytes_max, 'x')},
      {"nothing", ""},
  };
  for (const auto& [name, text] : cases) {
    SCOPED_TRACE(name);
    EXPECT_FALSE(read_gmail_confirmation(message(text)));
  }
}

TEST(GmailConfirmation, is_read_within_bounds) {
  std::string nested = from + "Subject: Gmail\n";
  for (int i = 0; i < 50; ++i)
    nested += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" +
              std::to_string(i) + "\n";
  nested += "\nCode: 123456789\n";
  EXPECT_FALSE(read_gmail_confirmation(message(nested)));
  std::string many = from + "Subject: Gmail\nContent-Type: multipart/mixed; boundary=b\n";
  for (int i = 0; i < 5000; ++i) many += "\n--b\n\nx";
  many += "\n--b\n\nCode: 123456789\n";
  EXPECT_FALSE(read_gmail_confirmation(message(many)));
}

}  // namespace
}  // namespace tapal::mail
