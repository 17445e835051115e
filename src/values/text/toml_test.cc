#include "values/text/toml.h"

#include <gtest/gtest.h>

namespace tapal::text {
namespace {

std::string paths_of(const TomlText& toml) {
  std::string all;
  for (const TomlEntry& entry : toml.entries) all += toml_path_text(entry.path) + " ";
  return all;
}

TEST(ReadToml, gives_values_in_the_order_of_the_text_with_their_places) {
  const TomlText toml = read_toml(
      "\xEF\xBB\xBF# Zürich\nb = 'ü # \"'\na = \"\\\" ü\" # é\n[t.\"é.x\"]\nlist = [\n  1, # one\n "
      " "
      "\"ß\",\n]\ninline = { z = 1, y = true }\nempty = {}\n");
  EXPECT_TRUE(toml.problems.empty());
  EXPECT_EQ(paths_of(toml),
            "b a t.\"é.x\".list t.\"é.x\".inline.z t.\"é.x\".inline.y "
            "t.\"é.x\".empty ");
  ASSERT_EQ(toml.entries.size(), 6u);
  EXPECT_EQ(toml.entries[2].place.line, 5u);
  EXPECT_EQ(std::get<TomlList>(toml.entries[2].value).items.at(1).place.line, 7u);
  EXPECT_EQ(toml.entries[4].place.column, 19u);
  EXPECT_TRUE(std::holds_alternative<TomlEmptyTable>(toml.entries[5].value));
}

// Each of these ends the process inside toml++ 3.3 as it comes, or may.
TEST(ReadToml, refuses_what_the_library_does_not_survive) {
  const std::string many_parts = "\na" + std::string(200'000, '.');
  std::string quoted_parts = "\"a\"";
  for (int i = 0; i < 101; ++i) quoted_parts += ".\"a\"";
  struct Case {
    std::string_view name, text;
    TomlPlace place;
  };
  const Case cases[] = {
      {"ampersand after a bracket", "[&", {1, 1}},
      {"three brackets", "a = 1\n  [[[1]]]", {2, 3}},
      {"bracket alone", "[\n", {1, 1}},
      {"bracket and carriage return", "[\r\n", {1, 1}},
      {"brace in a list", "\na = [}", {1, 1}},
      {"letter beyond ASCII in a name", "x = \"ü\"\nxé = 1", {2, 2}},
      {"letter beyond ASCII in a value", "\"ü\" = é", {1, 7}},
      {"letter beyond ASCII behind a number", "a = 2[\"\u03E4", {1, 6}},
      {"no-break space for a space", "a\u00A0= é", {1, 2}},
      {"many parts", many_parts, {2, 1}},
      {"many parts in quotes", quoted_parts, {1, 1}},
  };
  for (const auto& [name, text, place] : cases) {
    SCOPED_TRACE(name);
    const TomlText toml = read_toml(text);
    ASSERT_EQ(toml.problems.size(), 1u);
    EXPECT_EQ(toml.problems[0].place.line, place.line);
    EXPECT_EQ(toml.problems[0].place.column, place.column) << toml.problems[0].what;
  }
}

TEST(ReadToml, reads_names_of_as_many_parts_as_it_says) {
  std::string text = "a = { a";
  for (int i = 0; i < 100; ++i) text += ".a";
  EXPECT_EQ(read_toml(text + " = 1 }").problems.size(), 1u);  // nested too deep for us, no more
  EXPECT_TRUE(read_toml("a = \"" + std::string(90, '.') + "\"").problems.empty());
}

TEST(ReadToml, bounds_how_deep_values_nest) {
  for (const char open : {'[', '{'}) {
    std::string text = "a = ";
    for (int i = 0; i < 100'000; ++i) text += open == '{' ? "{a=" : "[";
    EXPECT_EQ(read_toml(text).problems.size(), 1u);
  }
  EXPECT_EQ(read_toml("[a.b.c.d.e]\nf = 1").problems.size(), 1u);
  EXPECT_TRUE(read_toml("a = [[1], {b = 1}, 1979-05-27]").problems.empty());
}

TEST(TomlText, is_quoted_so_that_it_reads_back) {
  const std::string odd = "a\"b\\c\td\x01\x7F ü";
  const TomlText toml = read_toml("x = " + toml_quoted(odd));
  ASSERT_EQ(toml.entries.size(), 1u);
  const auto& scalar = std::get<TomlScalar>(toml.entries[0].value);
  EXPECT_EQ(std::get<std::string>(scalar.value), odd);
  EXPECT_EQ(toml_path_text({"routes", "a.b", "", "c-d_1"}), "routes.\"a.b\".\"\".c-d_1");
}

}  // namespace
}  // namespace tapal::text
