#include "app/mail/mail_client.h"

#include <gtest/gtest.h>

#include "app/cli/message_file.h"
#include "values/mail/encoded_word.h"
#include "values/mail/header.h"
#include "values/mail/message_id.h"
#include "values/mail/mime.h"

namespace tapal::app {
namespace {

NewMessage a_message() {
  return {.from = {"a", "own.example"},
          .to = {"x", "far.example"},
          .subject = "grüße\r\nBcc: y@far.example",
          .text = "hello\r\n"};
}

TEST(ComposeMessage, makes_a_whole_message) {
  const auto text = compose_message(a_message());
  const auto fields = mail::HeaderFields::parse(text).value();
  for (const auto* name :
       {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"})
    EXPECT_EQ(fields.count(name), 1U) << name;
  EXPECT_EQ(fields.count("Bcc"), 0U) << text;
  EXPECT_EQ(fields.body_of("From"), "a@own.example");
  EXPECT_TRUE(mail::decode_encoded_words(fields.body_of("Subject")).starts_with("grüße"));
  EXPECT_TRUE(mail::is_message_id(fields.body_of("Message-ID")));
  EXPECT_TRUE(text.ends_with("\r\n\r\nhello\r\n")) << text;
  EXPECT_NE(text, compose_message(a_message()));  // another Message-ID
  EXPECT_EQ(with_crlf(text), text);
}

TEST(ComposeMessage, attaches_a_file_of_any_bytes) {
  auto message = a_message();
  message.file_name = "any \"file\".bin";
  message.file_bytes = std::string("\0\r\n.\r\n\xFF", 7);
  const auto text = compose_message(message);
  const auto fields = mail::HeaderFields::parse(text).value();
  EXPECT_TRUE(fields.body_of("Content-Type").starts_with("multipart/mixed; boundary="));
  EXPECT_TRUE(text.contains("hello\r\n"));
  EXPECT_TRUE(text.contains("AA0KLg0K/w==")) << text;
  EXPECT_FALSE(text.contains('\0'));
}

TEST(WithCrlf, ends_each_line_as_it_is_sent) {
  for (const auto& [given, expected] : {std::pair<std::string, std::string>{"", ""},
                                        {"\n", "\r\n"},
                                        {"a\nb\n", "a\r\nb\r\n"},
                                        {"a\r\nb\n", "a\r\nb\r\n"},
                                        {"\n\n", "\r\n\r\n"},
                                        {"a", "a"},
                                        {"a\rb", "a\rb"},
                                        {"\r\n\r\n", "\r\n\r\n"}})
    EXPECT_EQ(with_crlf(given), expected);
}

}  // namespace
}  // namespace tapal::app
