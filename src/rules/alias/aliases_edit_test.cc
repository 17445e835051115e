#include "rules/alias/aliases_edit.h"

#include <gtest/gtest.h>

namespace tapal::alias {
namespace {

using Targets = std::vector<std::string>;

struct Case {
  std::string_view name, before, alias;
  Targets targets;
  std::string_view after;  // or "!" and how the error begins
};

template <class Edit>
void check(Edit edit, std::span<const Case> cases) {
  for (const auto& [name, before, alias, targets, after] : cases) {
    SCOPED_TRACE(name);
    const auto changed = edit(before, "example.com", alias, targets);
    if (after.starts_with('!')) {
      ASSERT_FALSE(changed);
      EXPECT_TRUE(changed.error().what.starts_with(after.substr(1))) << changed.error().what;
    } else {
      ASSERT_TRUE(changed) << changed.error().what;
      EXPECT_EQ(*changed, after);
    }
  }
}

TEST(AliasesEdit, adds_lines_and_targets_and_keeps_the_rest) {
  const Case cases[] = {
      {"to nothing", "", "info", {"ann"}, "info: ann\n"},
      {"behind a cut line",
       "a: b",
       "info",
       {"ann", "x@y.example"},
       "a: b\ninfo: ann, x@y.example\n"},
      {"to a line with a comment",
       "# top\r\n INFO :  ann,bob   # who reads\r\nz: y\r\n",
       "info",
       {"carl"},
       "# top\r\n INFO :  ann,bob, carl   # who reads\r\nz: y\r\n"},
      {"only what is new", "info: ann\n", "info", {"ANN", "bob"}, "info: ann, bob\n"},
      {"nothing new", "info: ann\n", "info", {"ann"}, "!info leads there already"},
      {"to a catch-all", "*: ann\n", "*", {"bob"}, "*: ann, bob\n"},
      {"to a pattern", "/a:b/: ann\n", "/a:b/", {"bob"}, "/a:b/: ann, bob\n"},
      {"behind a program", "x: | /bin/p\n", "x", {"ann"}, "!x ends in \"| /bin/p\""},
      {"past a broken line", "broken\nx: ann\n", "x", {"bob"}, "broken\nx: ann, bob\n"},
      {"a quoted name", "\"a b\": ann\n", "\"A b\"", {"bob"}, "\"a b\": ann, bob\n"},
  };
  check(&add_alias, cases);
}

TEST(AliasesEdit, removes_lines_and_targets_and_keeps_the_rest) {
  const Case cases[] = {
      {"a line", "# top\ninfo: ann\nz: y\n", "INFO", {}, "# top\nz: y\n"},
      {"the last, without its end", "a: b\ninfo: ann", "info", {}, "a: b\n"},
      {"a target", "info: ann, bob # both\n", "info", {"Bob"}, "info: ann # both\n"},
      {"the first target", "info:ann,bob\n", "info", {"ann"}, "info:bob\n"},
      {"the last target left", "info: ann\nz: y\n", "info", {"ann"}, "z: y\n"},
      {"a program", "x: ann, | /bin/p a, b\n", "x", {"| /bin/p a, b"}, "x: ann\n"},
      {"no such line", "info: ann\n", "x", {}, "!there is no alias x"},
      {"no such target", "info: ann\n", "info", {"bob"}, "!info does not lead there"},
  };
  check(&remove_alias, cases);
}

TEST(AliasesEdit, lists_what_is_there) {
  const auto list =
      list_aliases("# c\n\ninfo: ann, \"a, b\"@x.example # d\nbroken\n/a/: | /p x, y\n");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].name, "info");
  EXPECT_EQ(list[0].line, 3U);
  EXPECT_EQ(list[0].targets, (Targets{"ann", "\"a, b\"@x.example"}));
  EXPECT_EQ(list[1].name, "/a/");
  EXPECT_EQ(list[1].targets, Targets{"| /p x, y"});
}

}  // namespace
}  // namespace tapal::alias
