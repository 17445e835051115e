#include "rules/migrate/main_cf.h"

#include <gtest/gtest.h>

namespace tapal::migrate {
namespace {

constexpr std::string_view text =
    "# a comment\n"
    "myhostname = mx.$mydomain\n"
    "mydestination = $myhostname,\n"
    "   # a comment within\n"
    "   localhost.$mydomain  ${other}\n"
    "  localhost\n"
    "empty =\n"
    "if_set = ${myhostname?yes} ${empty?no} ${nothing?{no}:{otherwise}}\n"
    "if_unset = ${myhostname:no} ${empty:yes} $(mydomain)\n"
    "money = a$$b ${unclosed\n"
    "this is no parameter\n"
    "circle = $circle x\n"
    "a = $b$b$b$b$b$b$b$b$b$b\nb = $c$c$c$c$c$c$c$c$c$c\nc = $d$d$d$d$d$d$d$d$d$d\n"
    "d = $e$e$e$e$e$e$e$e$e$e\ne = $f$f$f$f$f$f$f$f$f$f\nf = $empty\n";

TEST(MainCf, expands_names_as_postfix_does) {
  const auto main = MainCf::read(text, "mydomain = example.com\nempty = not this\nother = third\n");
  const struct {
    std::string_view name, value;
  } cases[] = {
      {"myhostname", "mx.example.com"},
      {"mydestination", "mx.example.com, localhost.example.com  third localhost"},
      {"empty", ""},
      {"if_set", "yes  otherwise"},
      {"if_unset", " yes example.com"},
      {"money", "a$b ${unclosed"},
      {"nothing", ""},
      {"circle", ""},
      {"a", ""},  // a hundred thousand names
  };
  for (const auto& [name, value] : cases) EXPECT_EQ(main.value(name), value) << name;
  EXPECT_EQ(
      main.list("mydestination"),
      (std::vector<std::string>{"mx.example.com", "localhost.example.com", "third", "localhost"}));
  EXPECT_EQ(main.place("mydestination"), "main.cf:3");
  EXPECT_EQ(main.place("other"), "main.cf");
  EXPECT_TRUE(main.has("empty"));
  EXPECT_FALSE(main.has("other"));
}

}  // namespace
}  // namespace tapal::migrate
