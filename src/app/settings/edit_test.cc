#include "app/settings/edit.h"

#include <gtest/gtest.h>

#include "app/settings/settings.h"
#include "drivers/files/scratch_folder.h"

namespace tapal::app {
namespace {

std::string edited(std::string_view text, std::string_view name, std::string_view value) {
  const auto after = with_setting(text, name, value);
  return after ? *after : "error: " + after.error().what;
}

TEST(SettingsEdit, replaces_the_line_and_keeps_all_others) {
  EXPECT_EQ(edited("# mine\nhostname = \"a.example\"  # old\n\n[queue]\ngive_up = \"2d\"\n",
                   "hostname",
                   "\"b.example\""),
            "# mine\nhostname = \"b.example\"\n\n[queue]\ngive_up = \"2d\"\n");
}

TEST(SettingsEdit, puts_a_new_line_below_its_sample) {
  const auto sample = sample_settings("mail.example.com");
  const auto after = edited(sample, "listen.smtp", "[\"127.0.0.1:2525\"]");
  EXPECT_TRUE(
      after.contains("# smtp = [\"0.0.0.0:25\", \"[::]:25\"]\nsmtp = [\"127.0.0.1:2525\"]\n"))
      << after.substr(0, 900);
  EXPECT_EQ(parse_settings(after, "x").settings.listen.smtp.front().port, 2525);
  EXPECT_EQ(edited(after, "listen.smtp", "[\"127.0.0.1:2525\"]"), after);
}

TEST(SettingsEdit, puts_it_at_the_head_of_its_table_or_makes_one) {
  EXPECT_EQ(edited("[delivery]\n[log]\n", "delivery.port", "26"), "[delivery]\nport = 26\n[log]\n");
  EXPECT_EQ(edited("[log]\nlevel = \"info\"", "delivery.port", "26"),
            "[log]\nlevel = \"info\"\n\n[delivery]\nport = 26\n");
  EXPECT_EQ(edited("[log]\n", "hostname", "\"a.example\""), "hostname = \"a.example\"\n[log]\n");
  EXPECT_EQ(edited("", "delivery.port", "26"), "[delivery]\nport = 26\n");
}

TEST(SettingsEdit, adds_a_route) {
  constexpr std::string_view route = R"({ host = "smtp.example.net", port = 587 })";
  EXPECT_EQ(edited("[log]\n", R"(routes."*")", route),
            "[log]\n\n[routes]\n\"*\" = { host = \"smtp.example.net\", port = 587 }\n");
  const auto after =
      edited(sample_settings("mail.example.com"), R"(routes."*.example.net")", route);
  EXPECT_EQ(parse_settings(after, "x").settings.delivery.routes.at("*.example.net").port, 587);
  EXPECT_TRUE(
      edited("", R"(routes."*")", R"({ host = "a b" })").starts_with("error: tapal.toml:2"));
  EXPECT_TRUE(edited(after, R"(routes."*.example.net")", "\"b.example\"").starts_with("error: "));
}

TEST(SettingsEdit, refuses_what_would_not_be_read) {
  EXPECT_TRUE(edited("", "nonsense", "1").starts_with("error: nonsense is no setting"));
  EXPECT_TRUE(edited("", "delivery.port", "\"x\"").starts_with("error: tapal.toml:2:"));
  EXPECT_TRUE(edited("[listen]\nsmtp = [\n  \"127.0.0.1:25\",\n]\n", "listen.smtp", "[]")
                  .starts_with("error: line 2: the value of listen.smtp goes over several lines"));
}

TEST(SettingsEdit, tells_whether_the_file_has_changed) {
  const files::ScratchFolder scratch;
  EXPECT_TRUE(write_setting(scratch.path(), "delivery.port", "26").value());
  EXPECT_FALSE(write_setting(scratch.path(), "delivery.port", "26").value());
  EXPECT_EQ(load_settings(scratch.path()).value().delivery.port, 26);
}

}  // namespace
}  // namespace tapal::app
