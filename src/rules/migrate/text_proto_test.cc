#include "rules/migrate/text_proto.h"

#include <gtest/gtest.h>

namespace tapal::migrate {
namespace {

TEST(TextProto, reads_scalars_strings_messages_and_lists) {
  const auto whole = read_text_proto(
      "# a comment\n"
      "hostname: \"mx.example.com\"  size: 50;\n"
      "user { key: 'ann' value: < n: -3, > }\n"
      "address: [\":25\", \":587\"]\n"
      "bytes: \"a\\n\\x41\\101\\0\\\"\" \"more\"\n",
      "f");
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_EQ(whole->text("hostname"), "mx.example.com");
  EXPECT_EQ(whole->text("size"), "50");
  EXPECT_EQ(whole->text("absent"), "");
  const auto* user = whole->find("user");
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(user->line, 3U);
  EXPECT_EQ(user->text("key"), "ann");
  ASSERT_NE(user->find("value"), nullptr);
  EXPECT_EQ(user->find("value")->text("n"), "-3");
  EXPECT_EQ(whole->text("bytes"), std::string("a\nAA\0\"more", 10));
  ASSERT_EQ(whole->fields.size(), 6U);
  EXPECT_EQ(whole->fields[4].value, ":587");
}

TEST(TextProto, tells_where_a_text_is_broken_and_not_what_is_in_it) {
  const struct {
    std::string_view name, text, told;
  } cases[] = {
      {"no value", "a:", "f:1: expected a value"},
      {"no colon", "a 5", "f:1: expected a colon"},
      {"no name", "\n: 5", "f:2: expected the name of a field"},
      {"open string", "a: \"secret\nb: 5", "f:1: a string is not closed"},
      {"open message", "a {\n b: 5", "f:2: a message is not closed"},
      {"stray end", "a: 5 }", "f:1: expected the name of a field"},
      {"open list", "a: [1 2]", "f:1: a list is not closed"},
      {"endless list", "a: [", "f:1: expected a value"},
      {"strange escape", "a: \"\\q\"", "f:1: an escape in a string that means nothing"},
      {"escape past a byte", "a: \"\\777\"", "f:1: an escape in a string that means nothing"},
  };
  for (const auto& [name, text, told] : cases) {
    const auto whole = read_text_proto(text, "f");
    ASSERT_FALSE(whole) << name;
    EXPECT_TRUE(whole.error().what.starts_with(told)) << name << ": " << whole.error().what;
    EXPECT_FALSE(whole.error().what.contains("secret")) << name;
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "a{";
  EXPECT_FALSE(read_text_proto(deep, "f"));
}

}  // namespace
}  // namespace tapal::migrate
