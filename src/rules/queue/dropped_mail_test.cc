#include "rules/queue/dropped_mail.h"

#include <gtest/gtest.h>

namespace tapal::queue {
namespace {

TEST(DroppedMail, is_read_as_it_was_written) {
  const DroppedMail given{.sender = "",
                          .recipients = {"root", "bob@b.example"},
                          .full_name = "Änne \"A\"\n",
                          .message = "Subject: a\r\n\r\nb\r\n"};
  const auto read = read_dropped_mail(to_text(given)).value();
  EXPECT_EQ(read.sender, "");
  EXPECT_EQ(read.recipients, given.recipients);
  EXPECT_EQ(read.full_name, given.full_name);
  EXPECT_EQ(read.message, given.message);
  auto by_user = given;
  by_user.sender.reset();
  EXPECT_FALSE(read_dropped_mail(to_text(by_user)).value().sender.has_value());
}

TEST(DroppedMail, is_refused_when_cut_anywhere) {
  const auto whole = to_text({.sender = "ann", .recipients = {"root"}, .message = "a\r\n"});
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_FALSE(read_dropped_mail(whole.substr(0, bytes)).has_value()) << bytes;
  EXPECT_TRUE(read_dropped_mail(whole).has_value());
}

TEST(DroppedMail, is_refused_when_it_is_something_else) {
  const struct {
    std::string text;
    std::string_view why;
  } cases[] = {
      {"root:x:0:0\n", "no JSON object"},
      {"[]\n", "no JSON object"},
      {"{}\n", "no recipients"},
      {R"({"recipients":["a"]})"
       "\n",
       "cut short"},
      {R"({"recipients":[1],"bytes":0})"
       "\n",
       "no recipients"},
      {to_text({.recipients = std::vector<std::string>(1001, "a")}), "too many"},
  };
  for (const auto& [text, why] : cases) {
    const auto read = read_dropped_mail(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_TRUE(read.error().what.contains(why)) << read.error().what;
  }
}

}  // namespace
}  // namespace tapal::queue
