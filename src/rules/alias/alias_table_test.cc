#include "rules/alias/alias_table.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rules/alias/alias_test_kit.h"
#include "rules/alias/alias_walk.h"

namespace tapal::alias {
namespace {

TEST(AliasTable, resolves_users_aliases_suffixes_and_other_domains) {
  const DomainInput inputs[] = {
      example_com("# who reads what\n"
                  "info: alice, bob\r\n"
                  "Sales : info ,carol@other.example # new\n"
                  "sales+hot: bob\n"
                  "bob: alice, bob\n"
                  "team: bob, alice, info\n"
                  "\"john doe\": alice\n"
                  "postmaster: bob\nabuse: :keep:\n"),
      {"other.example", {"carol"}, true, "all: carol, team@example.com\n", "o/aliases"},
  };
  DomainInput both[] = {inputs[0], inputs[1]};
  both[0].users.emplace_back("abuse");
  const Question questions[] = {
      {"alice@example.com", "alice@example.com"},
      {"ALICE+x@example.com", "alice@example.com"},
      {"info@example.com", "alice@example.com, Bob@example.com"},
      {"sales@example.com", "carol@other.example, alice@example.com, Bob@example.com"},
      {"sales+any@example.com", "carol@other.example, alice@example.com, Bob@example.com"},
      {"sales+hot@example.com", "alice@example.com, Bob@example.com"},
      {"bob@example.com", "alice@example.com, Bob@example.com"},
      {"team@example.com", "alice@example.com, Bob@example.com"},
      {"\"john doe\"@example.com", "alice@example.com"},
      {"all@other.example", "carol@other.example, alice@example.com, Bob@example.com"},
      {"nobody@example.com", "unknown "},
      {"info@other.example", "unknown "},
      {"alice@third.example", "not ours"},
      {"postmaster@example.com", "alice@example.com, Bob@example.com"},
      {"Abuse@example.com", "abuse@example.com"},
      {"postmaster@other.example", "carol@other.example"},
      {"abuse+spam@other.example", "carol@other.example"},
  };
  ask(both, questions);
}

TEST(AliasTable, leads_out_and_tells_by_which_alias) {
  const DomainInput inputs[] = {
      example_com("alice: alice, me@gmail.example\n"
                  "bob: :keep:, me@gmail.example\n"
                  "info: me@gmail.example\n"
                  "all: info, alice, bob\n"
                  "backup: x@far.example via mx.far.example, alice via [2001:db8::1]:2525\n"
                  "*: me@gmail.example\n"),
  };
  const Question questions[] = {
      {"info@example.com", "me@gmail.example (info@example.com)"},
      {"alice@example.com", "alice@example.com, me@gmail.example (alice@example.com)"},
      {"bob@example.com", "Bob@example.com, me@gmail.example (bob@example.com)"},
      {"alice+tag@example.com", "alice@example.com, me@gmail.example (alice+tag@example.com)"},
      {"all@example.com",
       "me@gmail.example (info@example.com), alice@example.com, Bob@example.com"},
      {"anything@example.com", "me@gmail.example (anything@example.com)"},
      {"postmaster@example.com", "me@gmail.example (postmaster@example.com)"},
      {"backup@example.com",
       "x@far.example via mx.far.example (backup@example.com), "
       "alice@example.com via [2001:db8::1]:2525 (backup@example.com)"},
  };
  ask(inputs, questions);
}

TEST(AliasTable, hands_over_to_programs_servers_folders_and_refuses_by_name) {
  const DomainInput inputs[] = {
      example_com("tickets: | /usr/bin/desk --queue 'new mail' # ours\n"
                  "alice: :keep:, | /usr/bin/notify\n"
                  "dove: :lmtp: unix:/run/lmtp, :maildir: /srv/mail/dove\n"
                  "hook: :http: https://hook.example/in?x=1\n"
                  "old: :reject: Old has left; write to info@example.com, please\n"
                  "gone: :reject:\n"
                  "both: old, bob\n"
                  "all: tickets, hook\n"),
  };
  const Question questions[] = {
      {"tickets+7@example.com", "tickets+7@example.com | /usr/bin/desk --queue new mail"},
      {"alice@example.com", "alice@example.com, alice@example.com | /usr/bin/notify"},
      {"dove@example.com",
       "dove@example.com :lmtp: unix:/run/lmtp, dove@example.com :maildir: /srv/mail/dove"},
      {"hook@example.com", "hook@example.com :http: https://hook.example/in?x=1"},
      {"old@example.com", "rejected Old has left; write to info@example.com, please"},
      {"gone@example.com", "rejected "},
      {"both@example.com", "Bob@example.com"},
      {"all@example.com",
       "tickets@example.com | /usr/bin/desk --queue new mail, "
       "hook@example.com :http: https://hook.example/in?x=1"},
  };
  ask(inputs, questions);
}

TEST(AliasTable, maps_domains_and_patterns) {
  const DomainInput inputs[] = {
      example_com("/sales-(.+)/: \\1, bob\n"
                  "/(.+)\\.(.+)\\/x/: \\2_\\1@far.example\n"
                  "/SALES-.*/: alice\n"
                  "sales-vip: alice\n"
                  "echo: *@far.example\n"),
      {"map.example", {}, true, "*: *@example.com\n", "m/aliases"},
      {"out.example", {}, true, "*: *@far.example\n", "x/aliases"},
      {"pass.example", {}, true, "*: * via mx.pass.example\n", "p/aliases"},
  };
  const Question questions[] = {
      {"Sales-ALICE@example.com", "alice@example.com, Bob@example.com"},
      {"sales-vip@example.com", "alice@example.com"},
      {"sales-@example.com", "alice@example.com"},
      {"John.Doe/x@example.com", "Doe_John@far.example (John.Doe/x@example.com)"},
      {"sales-nobody@example.com", "unknown nobody@example.com"},
      {"my-sales-alice@example.com", "unknown "},
      {"echo+tag@example.com", "echo+tag@far.example (echo+tag@example.com)"},
      {"alice+x@map.example", "alice@example.com"},
      {"nobody@map.example", "unknown nobody@example.com"},
      {"sales-bob@map.example", "Bob@example.com"},
      {"Who.Ever+t@out.example", "Who.Ever+t@far.example (Who.Ever+t@out.example)"},
      {"\"a b\"@out.example", "\"a b\"@far.example (\"a b\"@out.example)"},
      {"who@pass.example", "who@pass.example via mx.pass.example (itself)"},
  };
  ask(inputs, questions);
}

TEST(AliasTable, finds_circles_that_only_an_address_makes) {
  const DomainInput inputs[] = {
      example_com("/x(.*)/: y\\1@other.example\n/grow(.*)/: grow\\1a\n"),
      {"other.example", {}, true, "/y(.*)/: x\\1@example.com\n", "o/aliases"},
  };
  const Question questions[] = {
      {"xa@example.com", "endless the alias leads back to itself: xa -> ya@other.example -> xa"},
      {"grow@example.com",
       "endless more than 10 aliases deep: grow -> growa -> growaa -> growaaa -> growaaaa -> "
       "growaaaaa -> growaaaaaa -> growaaaaaaa -> growaaaaaaaa -> growaaaaaaaaa -> growaaaaaaaaaa"},
  };
  ask(inputs, questions);
}

TEST(AliasTable, compares_names_in_normal_form) {
  const DomainInput inputs[] = {
      {"xn--bcher-kva.example", {"jos\u00e9"}, true, "STRASSE: jos\u00e9\n", "aliases"}};
  ask(inputs,
      std::vector<Question>{
          {"JOSE\u0301@b\u00fccher.example", "jos\u00e9@xn--bcher-kva.example"},
          {"stra\u00dfe@B\u00dcCHER.example", "jos\u00e9@xn--bcher-kva.example"}});
}

TEST(AliasTable, catches_all_but_users_and_aliases) {
  const DomainInput inputs[] = {example_com("info: bob\n*: alice\nodd: shop\n")};
  const auto built = build_alias_table(inputs);
  EXPECT_TRUE(built.problems.empty());
  EXPECT_TRUE(built.notices.empty());
  EXPECT_EQ(answer(built.table, "who+ever@example.com"), "alice@example.com");
  EXPECT_EQ(answer(built.table, "info@example.com"), "Bob@example.com");
  EXPECT_EQ(answer(built.table, "postmaster@example.com"), "alice@example.com");
  EXPECT_EQ(answer(built.table, "odd@example.com"), "alice@example.com");
}

TEST(AliasTable, says_where_postmaster_and_abuse_lead_when_nobody_said) {
  const DomainInput inputs[] = {
      example_com("abuse: bob\n"),
      {"empty.example", {}, true, "", "e/aliases"},
      {"full.example", {"postmaster", "abuse"}, true, "", "f/aliases"},
      {"broken.example", {}, false, "", "b/aliases"},
      {"deaf.example", {"dan"}, true, "*: :reject: nobody here\n", "d/aliases"},
      {"pattern.example", {"dan"}, true, "/.*/: :reject: nobody here\n", "p/aliases"},
      {"silent.example", {"dan"}, true, "dan: :reject: no\n/.*/: dan\n", "s/aliases"},
  };
  const auto built = build_alias_table(inputs);
  EXPECT_EQ(answer(built.table, "abuse@example.com"), "Bob@example.com");
  EXPECT_EQ(answer(built.table, "postmaster@empty.example"), "unknown ");
  EXPECT_EQ(answer(built.table, "x@deaf.example"), "rejected nobody here");
  EXPECT_EQ(answer(built.table, "postmaster@deaf.example"), "dan@deaf.example");
  EXPECT_EQ(answer(built.table, "ABUSE@pattern.example"), "dan@pattern.example");
  EXPECT_EQ(answer(built.table, "dan@silent.example"), "rejected no");
  EXPECT_EQ(answer(built.table, "abuse@silent.example"), "dan@silent.example");
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
      {"twice",
       "info: alice\nINFO: bob\n",
       "aliases:2: INFO is here a second time; first on line 1"},
      {"two catch-alls", "*: alice\n*: bob\n", "aliases:2: * is here a second time"},
      {"unknown target",
       "info: carol\n",
       "aliases:1: carol@example.com is neither a user nor an alias"},
      {"unknown target of the catch-all",
       "*: carol\n",
       "aliases:1: carol@example.com is neither a user nor an alias"},
      {"keep without a user", "info: :keep:, x@far.example\n", "aliases:1: :keep: needs a user"},
      {"postmaster refused", "Postmaster: :reject: no\n", "aliases:1: Postmaster must take mail"},
      {"postmaster refused in the end",
       "Abuse: old\nold: :reject: no\n",
       "aliases:1: Abuse must take mail"},
      {"itself", "info: info\n", "aliases:1: the alias leads back to itself: info -> info"},
      {"loop",
       "a: b\nb: c\nc: a, alice\n",
       "aliases:1: the alias leads back to itself: a -> b -> c -> a"},
      {"loop through postmaster",
       "alice: postmaster\n",
       "aliases:1: the alias leads back to itself: alice -> postmaster -> alice"},
      {"suffix loop", "a: a+x\n", "aliases:1: the alias leads back to itself: a -> a+x"},
      {"catch-all to itself", "*: *\n", "aliases:1: the alias leads back to itself: * -> *"},
      {"catch-alls of two domains",
       "*: *@other.example\n",
       "aliases:1: the alias leads back to itself: * -> *@other.example -> *"},
      {"pattern to itself",
       "/a.*/: ab\n",
       "aliases:1: the alias leads back to itself: /a.*/ -> ab -> ab"},
  };
  for (const auto& [name, text, told] : cases) {
    SCOPED_TRACE(name);
    const DomainInput inputs[] = {example_com(text),
                                  {"other.example", {}, true, "*: *@example.com\n", "other"}};
    const auto built = build_alias_table(inputs);
    ASSERT_FALSE(built.problems.empty());
    for (const std::string& problem : built.problems) EXPECT_FALSE(problem.contains(":0:"));
    EXPECT_TRUE(built.problems.front().starts_with(told)) << built.problems.front();
  }
}

TEST(AliasTable, does_not_blame_aliases_for_a_broken_users_file) {
  DomainInput input = example_com("info: carol\ndan: :keep:\n");
  input.users_are_complete = false;
  EXPECT_TRUE(build_alias_table({&input, 1}).problems.empty());
}

TEST(AliasTable, explains_the_way) {
  const DomainInput inputs[] = {example_com(
      "team: info, bob+x, x@far.example via mx.far.example\n\ninfo: alice, me@gmail.example\n"
      "/t-(.*)/: \\1, alice\n")};
  const auto built = build_alias_table(inputs);
  const auto told = [&](std::string_view asked) {
    std::string all;
    for (const auto& [level, address, what] :
         built.table.explain(mail::parse_address(asked).value()))
      all += fmt::format("{:{}}{}: {}\n", "", level, address.text(), what);
    return all;
  };
  EXPECT_EQ(told("team@example.com"),
            "team@example.com: alias, aliases:1\n"
            " info@example.com: alias, aliases:3\n"
            "  alice@example.com: mailbox\n"
            "  me@gmail.example: by SMTP to its MX\n"
            " Bob@example.com: mailbox\n"
            " x@far.example: by SMTP via mx.far.example\n");
  EXPECT_EQ(told("t-alice@example.com"),
            "t-alice@example.com: pattern, aliases:4\n"
            " alice@example.com: mailbox\n"
            " alice@example.com: has been reached before\n");
  EXPECT_EQ(told("info+x@example.com"),
            "info+x@example.com: alias, without the suffix, aliases:3\n"
            " alice@example.com: mailbox\n"
            " me@gmail.example: by SMTP to its MX\n");
  EXPECT_EQ(told("abuse@example.com"),
            "abuse@example.com: nobody said otherwise: the first user\n"
            " alice@example.com: mailbox\n");
  EXPECT_EQ(told("nobody@example.com"), "nobody@example.com: nobody has this address\n");
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

TEST(AliasTable, leads_to_a_thousand_targets_and_no_more) {
  for (const std::size_t extra : {0U, 1U}) {
    SCOPED_TRACE(extra);
    DomainInput input{"example.com", {}, true, "", "aliases"};
    std::string halves[2] = {"left: ", "right: "};
    for (std::size_t i = 0; i < targets_max + extra; ++i) {
      if (i % 3 == 0) input.users.push_back(fmt::format("u{}", i));
      halves[i % 2] +=
          fmt::format("{}u{}{}", i < 2 ? "" : ",", i, i % 3 == 0 ? "" : "@far.example");
    }
    input.aliases_text = halves[0] + "\n" + halves[1] + "\nall: left, right\n";
    const auto built = build_alias_table({&input, 1});
    EXPECT_EQ(built.problems.size(), extra);
    const auto all = mail::parse_address("all@example.com");
    ASSERT_TRUE(all);
    EXPECT_EQ(built.table.resolve(*all).targets.size(), extra == 0 ? targets_max : 0U);
  }
}

// Whatever the aliases say, resolving ends, and within the limits.
TEST(AliasTable, always_comes_to_an_end) {
  std::mt19937 random(20261126);  // NOLINT(*-msc51-cpp,*-msc32-c): the same each time
  constexpr std::string_view names[] = {"a", "b", "c", "alice", "bob", "*", "/a(.*)/", "/(.)(.*)/"};
  constexpr std::string_view targets[] = {"a",
                                          "b",
                                          "c",
                                          "alice",
                                          "*@two.example",
                                          "\\1",
                                          "a\\1",
                                          "*@example.com",
                                          "b@two.example",
                                          "\\1\\1"};
  for (int round = 0; round < 2000; ++round) {
    std::string texts[2];
    for (std::string& text : texts) {
      for (auto lines = random() % 6; lines > 0; --lines) {
        text += fmt::format(
            "{}: {}", names[random() % std::size(names)], targets[random() % std::size(targets)]);
        for (auto more = random() % 3; more > 0; --more)
          text += fmt::format(", {}", targets[random() % std::size(targets)]);
        text += "\n";
      }
    }
    const DomainInput inputs[] = {example_com(texts[0]),
                                  {"two.example", {"a"}, true, texts[1], "two"}};
    const auto built = build_alias_table(inputs);
    for (const std::string_view local : {"a", "b", "aaaa", "ab+c", "alice", "zz", "*"}) {
      const auto found = built.table.resolve({std::string(local), "example.com"});
      EXPECT_LE(found.targets.size(), targets_max);
      EXPECT_EQ(found.targets.empty(), found.status != Resolution::Status::found);
    }
  }
}

}  // namespace
}  // namespace tapal::alias
