#include "rules/alias/alias_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rules/alias/aliases_file.h"

namespace tapal::alias {
namespace {

DomainInput example_com(std::string_view aliases) {
  return {"example.com", {"alice", "Bob"}, true, std::string(aliases), "aliases"};
}

std::string answer(const AliasTable& table, std::string_view text) {
  const auto address = mail::parse_address(text);
  if (!address) return "not an address";
  const Resolution resolution = table.resolve(*address);
  if (resolution.status == Resolution::Status::not_our_domain) return "not ours";
  if (resolution.status == Resolution::Status::unknown_user) return "unknown";
  std::string all;
  for (const mail::Address& user : resolution.users) all += (all.empty() ? "" : " ") + user.text();
  return all;
}

struct Question {
  std::string_view asked, answered;
};

TEST(AliasTable, resolves_users_aliases_suffixes_and_other_domains) {
  const DomainInput inputs[] = {
      example_com("# who reads what\n"
                  "info: alice, bob\r\n"
                  "Sales : info ,carol@other.example # new\n"
                  "sales+hot: bob\n"
                  "bob: alice, bob\n"
                  "team: bob, alice, info\n"
                  "\"john doe\": alice\n"),
      {"other.example", {"carol"}, true, "all: carol, team@example.com\n", "o/aliases"},
  };
  const auto built = build_alias_table(inputs);
  EXPECT_EQ(built.problems, std::vector<std::string>());
  const Question questions[] = {
      {"alice@example.com", "alice@example.com"},
      {"ALICE+x@example.com", "alice@example.com"},
      {"info@example.com", "alice@example.com Bob@example.com"},
      {"sales@example.com", "carol@other.example alice@example.com Bob@example.com"},
      {"sales+any@example.com", "carol@other.example alice@example.com Bob@example.com"},
      {"sales+hot@example.com", "alice@example.com Bob@example.com"},
      {"bob@example.com", "alice@example.com Bob@example.com"},
      {"team@example.com", "alice@example.com Bob@example.com"},
      {"\"john doe\"@example.com", "alice@example.com"},
      {"all@other.example", "carol@other.example alice@example.com Bob@example.com"},
      {"nobody@example.com", "unknown"},
      {"info@other.example", "unknown"},
      {"alice@third.example", "not ours"},
      {"postmaster@example.com", "alice@example.com"},
      {"Abuse@example.com", "alice@example.com"},
      {"postmaster@other.example", "carol@other.example"},
  };
  for (const auto& [asked, answered] : questions) {
    SCOPED_TRACE(asked);
    EXPECT_EQ(answer(built.table, asked), answered);
  }
}

TEST(AliasTable, catches_all_but_users_and_aliases) {
  const DomainInput inputs[] = {example_com("info: bob\n*: alice\n")};
  const auto built = build_alias_table(inputs);
  EXPECT_TRUE(built.problems.empty());
  EXPECT_TRUE(built.notices.empty());
  EXPECT_EQ(answer(built.table, "who+ever@example.com"), "alice@example.com");
  EXPECT_EQ(answer(built.table, "info@example.com"), "Bob@example.com");
  EXPECT_EQ(answer(built.table, "postmaster@example.com"), "alice@example.com");
}

TEST(AliasTable, says_where_postmaster_and_abuse_lead_when_nobody_said) {
  const DomainInput inputs[] = {
      example_com("abuse: bob\n"),
      {"empty.example", {}, true, "", "e/aliases"},
      {"full.example", {"postmaster", "abuse"}, true, "", "f/aliases"},
      {"broken.example", {}, false, "", "b/aliases"},
  };
  const auto built = build_alias_table(inputs);
  EXPECT_EQ(answer(built.table, "abuse@example.com"), "Bob@example.com");
  EXPECT_EQ(answer(built.table, "postmaster@empty.example"), "unknown");
  EXPECT_EQ(built.notices,
            (std::vector<std::string>{
                "mail to postmaster@example.com goes to alice@example.com, the first user; aliases "
                "can name another",
                "mail to postmaster@empty.example and abuse@empty.example is refused: "
                "empty.example has no users"}));
}

TEST(AliasTable, refuses_wrong_files_and_tells_the_line) {
  struct Case {
    std::string_view name, text, told;
  };
  const Case cases[] = {
      {"no colon", "info alice\n", "aliases:1: no colon; a line is \"local: target, target\""},
      {"no target", "\ninfo:\n", "aliases:2: info has an empty target"},
      {"comma at the end", "info: alice,\n", "aliases:1: info has an empty target"},
      {"bad name", "in fo: alice\n", "aliases:1: \"in fo\" cannot be a local part"},
      {"bad target", "info: a@b@c\n", "aliases:1: \"a@b@c\" is neither a local part nor"},
      {"program", "info: |/bin/sh\n", "aliases:1: "},
      {"twice",
       "info: alice\nINFO: bob\n",
       "aliases:2: INFO is here a second time; first on line 1"},
      {"two catch-alls", "*: alice\n*: bob\n", "aliases:2: * is here a second time"},
      {"unknown target",
       "info: carol\n",
       "aliases:1: carol@example.com is neither a user nor an alias"},
      {"remote target",
       "info: me@gmail.example\n",
       "aliases:1: me@gmail.example is not at a domain of this server; aliases that lead to other "
       "servers are not supported yet"},
      {"itself", "info: info\n", "aliases:1: the alias leads back to itself: info -> info"},
      {"loop",
       "a: b\nb: c\nc: a, alice\n",
       "aliases:1: the alias leads back to itself: a -> b -> c -> a"},
      {"loop through postmaster",
       "alice: postmaster\n",
       "aliases:1: the alias leads back to itself: alice -> postmaster -> alice"},
      {"suffix loop", "a: a+x\n", "aliases:1: the alias leads back to itself: a -> a"},
  };
  for (const auto& [name, text, told] : cases) {
    SCOPED_TRACE(name);
    const DomainInput inputs[] = {example_com(text)};
    const auto built = build_alias_table(inputs);
    ASSERT_FALSE(built.problems.empty());
    for (const std::string& problem : built.problems) EXPECT_FALSE(problem.contains(":0:"));
    EXPECT_TRUE(built.problems.front().starts_with(told)) << built.problems.front();
  }
}

TEST(AliasTable, does_not_blame_aliases_for_a_broken_users_file) {
  DomainInput input = example_com("info: carol\n");
  input.users_are_complete = false;
  EXPECT_TRUE(build_alias_table({&input, 1}).problems.empty());
}

std::string chain(std::size_t length) {
  std::string text;
  for (std::size_t i = 1; i < length; ++i) text += fmt::format("a{}: a{}\n", i, i + 1);
  return text + fmt::format("a{}: alice\n", length);
}

TEST(AliasTable, follows_ten_aliases_and_no_more) {
  const DomainInput good[] = {example_com(chain(alias_depth_max))};
  const auto built = build_alias_table(good);
  EXPECT_TRUE(built.problems.empty());
  EXPECT_EQ(answer(built.table, "a1@example.com"), "alice@example.com");

  const DomainInput deep[] = {example_com(chain(alias_depth_max + 1))};
  const auto refused = build_alias_table(deep).problems;
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_TRUE(refused[0].starts_with("aliases:1: more than 10 aliases deep: a1 -> a2 -> "));
}

TEST(AliasTable, leads_to_a_thousand_users_and_no_more) {
  for (const std::size_t extra : {0U, 1U}) {
    SCOPED_TRACE(extra);
    DomainInput input{"example.com", {}, true, "", "aliases"};
    std::string halves[2] = {"left: ", "right: "};
    for (std::size_t i = 0; i < targets_max + extra; ++i) {
      input.users.push_back(fmt::format("u{}", i));
      halves[i % 2] += fmt::format("{}u{}", i < 2 ? "" : ",", i);
    }
    input.aliases_text = halves[0] + "\n" + halves[1] + "\nall: left, right\n";
    const auto built = build_alias_table({&input, 1});
    EXPECT_EQ(built.problems.size(), extra);
    const auto all = mail::parse_address("all@example.com");
    ASSERT_TRUE(all);
    if (extra == 0) {
      EXPECT_EQ(built.table.resolve(*all).users.size(), targets_max);
    }
  }
}

}  // namespace
}  // namespace tapal::alias
