#include <gtest/gtest.h>

#include "app/sendmail/sendmail.h"

namespace tapal::app {
namespace {

using Mode = SendmailOptions::Mode;
using Words = std::vector<std::string>;

SendmailOptions read(const Words& words) {
  return read_sendmail_options(Mode::deliver, words).value();
}

TEST(SendmailOptions, are_read_as_programs_write_them) {
  const struct {
    Words words;
    SendmailOptions wanted;
  } cases[] = {
      {{"root"}, {.recipients = {"root"}}},
      {{"-t", "-i"}, {.recipients_in_header = true, .dot_is_text = true}},
      {{"-ti"}, {.recipients_in_header = true, .dot_is_text = true}},
      {{"-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"},  // cron
       {.dot_is_text = true, .full_name = "CronDaemon", .recipients = {"root"}}},
      {{"-oi", "-f", "ann@a.example", "--", "-x@b.example"},
       {.dot_is_text = true, .sender = "ann@a.example", .recipients = {"-x@b.example"}}},
      {{"-f<>", "a"}, {.sender = "", .recipients = {"a"}}},
      {{"-r", "bob", "a"}, {.sender = "bob", .recipients = {"a"}}},
      {{"-bs"}, {.mode = Mode::smtp}},
      {{"-b", "p"}, {.mode = Mode::list_queue}},
      {{"-bm", "a"}, {.recipients = {"a"}}},
      {{"-bi"}, {.mode = Mode::rebuild_aliases}},
      {{"-q30m"}, {.mode = Mode::retry_queue}},
      {{"-v", "-G", "-N", "never", "-Rfull", "-Oa=b", "-C/x", "-d0.1", "-e", "q", "-m", "-U", "a"},
       {.recipients = {"a"}}},
      {{"-", "a"}, {.recipients = {"-", "a"}}},
  };
  for (const auto& [words, wanted] : cases) {
    const auto is = read(words);
    const auto& shown = words.front();
    EXPECT_EQ(is.mode, wanted.mode) << shown;
    EXPECT_EQ(is.recipients_in_header, wanted.recipients_in_header) << shown;
    EXPECT_EQ(is.dot_is_text, wanted.dot_is_text) << shown;
    EXPECT_EQ(is.sender, wanted.sender) << shown;
    EXPECT_EQ(is.full_name, wanted.full_name) << shown;
    EXPECT_EQ(is.recipients, wanted.recipients) << shown;
  }
  for (const Words& wrong : {Words{"-bd"}, Words{"-bx"}, Words{"-f"}, Words{"--help"}})
    EXPECT_EQ(read_sendmail_options(Mode::deliver, wrong).error().code, Code::invalid);
}

TEST(SendmailOptions, say_by_the_name_of_the_program_what_it_is) {
  EXPECT_EQ(sendmail_mode_of("/usr/sbin/sendmail"), Mode::deliver);
  EXPECT_EQ(sendmail_mode_of("mailq"), Mode::list_queue);
  EXPECT_EQ(sendmail_mode_of("/usr/bin/newaliases"), Mode::rebuild_aliases);
  EXPECT_EQ(sendmail_mode_of("/usr/bin/tapal"), std::nullopt);
}

TEST(SendmailMail, has_its_recipients_from_words_and_header) {
  const struct {
    std::string_view name;
    Words words;
    std::string_view text;
    Words wanted;
  } cases[] = {
      {"words", {"a", "b@x.example,c"}, "To: z\n\nhi\n", {"a", "b@x.example", "c"}},
      {"header",
       {"-t"},
       "To: a, B <b@x.example>\nCc: c\nBcc: d\n\nhi\n",
       {"a", "b@x.example", "c", "d"}},
      {"both, once each", {"-t", "a"}, "To: a, b\n\nhi\n", {"a", "b"}},
      {"folded", {"-t"}, "To: a,\n b\n\nhi\n", {"a", "b"}},
      {"sent on again", {"-t"}, "Resent-To: r\nTo: a\n\nhi\n", {"r"}},
  };
  for (const auto& [name, words, text, wanted] : cases)
    EXPECT_EQ(sendmail_mail(read(words), text).value().recipients, wanted) << name;
}

TEST(SendmailMail, says_what_is_wrong) {
  const struct {
    Words words;
    std::string text;
    Code wanted;
  } cases[] = {
      {{}, "hi\n", Code::not_found},
      {{"-t"}, "Subject: hi\n\nhi\n", Code::not_found},
      {{"two words"}, "hi\n", Code::invalid},
      {{"a@b@c"}, "hi\n", Code::invalid},
      {{"-f", "x y", "a"}, "hi\n", Code::invalid},
      {{"-t"}, "To: a\nno field here\n\nhi\n", Code::invalid},
  };
  for (const auto& [words, text, wanted] : cases)
    EXPECT_EQ(sendmail_mail(read(words), text).error().code, wanted) << text;
  std::string many = "To: a0";
  for (int i = 1; i <= 1000; ++i) many += ",\n a" + std::to_string(i);
  EXPECT_EQ(sendmail_mail(read({"-t"}), many + "\n\nhi\n").error().code, Code::invalid);
}

}  // namespace
}  // namespace tapal::app
