#include "rules/alias/alias_line.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tapal::alias {
namespace {

std::string layout(std::string_view line) {
  const auto read = read_alias_line(line);
  if (!read) return read.error().what.substr(0, 8);
  if (!*read) return "nothing";
  return fmt::format("[{}] [{}]", (*read)->name, (*read)->targets);
}

TEST(AliasLine, knows_name_targets_and_comment) {
  struct Case {
    std::string_view name, line, layout;
  };
  const Case cases[] = {
      {"plain", "info: ann, bob\r\n", "[info] [ann, bob]"},
      {"spaces", "  info\t:  ann  \n", "[info] [ann]"},
      {"nothing", " \r\n", "nothing"},
      {"a comment", "  # info: ann\n", "nothing"},
      {"a comment at the end", "info: ann # and nobody else: no\n", "[info] [ann]"},
      {"a hash in a word", "info: a#b\n", "[info] [a#b]"},
      {"a hash in quotes", "info: \"a #b\"@x # c\n", "[info] [\"a #b\"@x]"},
      {"a quote that is not closed", "info: \"a #b\n", "[info] [\"a #b]"},
      {"a quoted name with a colon", "\"a:b\" : ann\n", "[\"a:b\"] [ann]"},
      {"a quoted name that is not closed", "\"a:b: ann\n", "no colon"},
      {"a pattern with colons", "/a:(\\/|b) #/: \\1 # c\n", "[/a:(\\/|b) #/] [\\1]"},
      {"a pattern that is not closed", "/a: ann\n", "no colon"},
      {"no colon", "info ann\n", "no colon"},
      {"a colon in the comment", "info ann # as: ever\n", "no colon"},
      {"no targets", "info:\n", "[info] []"},
      {"a directive", "x: :lmtp: host:24\n", "[x] [:lmtp: host:24]"},
  };
  for (const auto& [name, line, expected] : cases) {
    SCOPED_TRACE(name);
    EXPECT_EQ(layout(line), expected);
  }
}

template <class Parts>
std::string joined(const Parts& parts) {
  return parts ? fmt::format("[{}]", fmt::join(*parts, "] [")) : parts.error().what;
}

TEST(AliasLine, parts_targets) {
  struct Case {
    std::string_view name, targets, parts;
  };
  const Case cases[] = {
      {"two", "ann ,bob@x", "[ann] [bob@x]"},
      {"empty ones", ",ann,", "[] [ann] []"},
      {"a comma in quotes", "\"a,b\"@x, c", "[\"a,b\"@x] [c]"},
      {"a program to the end", "ann, | /p a, \"b", "[ann] [| /p a, \"b]"},
      {"a text to the end", ":Reject: no, \"never", "[:Reject: no, \"never]"},
      {"a quote that is not closed", "a, \"b", "a quote is not closed"},
      {"nothing", "", "[]"},
  };
  for (const auto& [name, targets, parts] : cases) {
    SCOPED_TRACE(name);
    EXPECT_EQ(joined(split_targets(targets)), parts);
  }
}

TEST(AliasLine, parts_words_without_a_shell) {
  struct Case {
    std::string_view name, text, words;
  };
  const Case cases[] = {
      {"plain", " /p  a\tb ", "[/p] [a] [b]"},
      {"quotes", R"(/p "a b" 'c "d' e"f"'g')", R"([/p] [a b] [c "d] [efg])"},
      {"escapes in double quotes only", R"(\a "\"\\\n" '\')", R"([\a] ["\\n] [\])"},
      {"an empty word", "a '' \"\"", "[a] [] []"},
      {"nothing of a shell", "$HOME `id` ;|&> * %n", "[$HOME] [`id`] [;|&>] [*] [%n]"},
      {"nothing", "  ", "[]"},
      {"not closed", "a 'b", "a quote is not closed"},
      {"not closed either", "a \"b\\\"", "a quote is not closed"},
  };
  for (const auto& [name, text, words] : cases) {
    SCOPED_TRACE(name);
    EXPECT_EQ(joined(split_words(text)), words);
  }
}

}  // namespace
}  // namespace tapal::alias
