#include <gtest/gtest.h>

#include "rules/alias/alias_table.h"
#include "rules/alias/alias_test_kit.h"

namespace tapal::alias {
namespace {

using account::Role;

TEST(AliasTable, heeds_the_role_of_a_domain) {
  struct Case {
    std::string_view name;
    DomainInput input;
    std::vector<Question> questions;
  };
  const Case cases[] = {
      {"send: its MX has it",
       with_role(Role::send, "info: ann\nabuse: desk@far.example\n*: ann\n"),
       {{"ann@d.example", "elsewhere"},
        {"info@d.example", "elsewhere"},
        {"nobody@d.example", "elsewhere"},
        {"abuse@d.example", "desk@far.example (abuse@d.example)"},
        {"postmaster@d.example", "postmaster@d.example (itself)"}}},
      {"send+forward: no mailboxes",
       with_role(Role::send_forward, "info: me@gmail.example\n"),
       {{"ann@d.example", "unknown "},
        {"info@d.example", "me@gmail.example (info@d.example)"},
        {"postmaster@d.example", "ann@d.example"}}},
      {"send+forward: a user with an alias",
       with_role(Role::send_forward, "ann: me@gmail.example\ninfo: ann\n"),
       {{"ann@d.example", "me@gmail.example (ann@d.example)"},
        {"info@d.example", "me@gmail.example (ann@d.example)"},
        {"postmaster@d.example", "me@gmail.example (ann@d.example)"}}},
      {"backup-mx: everybody",
       with_role(Role::backup_mx, ""),
       {{"ann@d.example", "ann@d.example (itself)"},
        {"Nobody@d.example", "Nobody@d.example (itself)"}}},
      {"backup-mx: those named",
       with_role(Role::backup_mx,
                 "ann: ann\nbob: *\nlist: ann, carl\n/team-.*/: * via mx1.d.example\n"),
       {{"ann@d.example", "ann@d.example (itself)"},
        {"bob@d.example", "bob@d.example (itself)"},
        {"list@d.example", "carl@d.example (list@d.example), ann@d.example (itself)"},
        {"team-a@d.example", "team-a@d.example via mx1.d.example (itself)"},
        {"nobody@d.example", "unknown "},
        {"abuse@d.example", "abuse@d.example (itself)"}}},
      {"backup-mx: by a host",
       with_role(Role::backup_mx, "*: * via 192.0.2.1:26\n"),
       {{"x@d.example", "x@d.example via 192.0.2.1:26 (itself)"}}},
  };
  for (const auto& [name, input, questions] : cases) {
    SCOPED_TRACE(name);
    ask({&input, 1}, questions);
  }
  const DomainInput leads_there[] = {example_com("ext: ann@d.example\n"),
                                     with_role(Role::send, "")};
  ask(leads_there, std::vector<Question>{{"ext@example.com", "ann@d.example (ext@example.com)"}});
}

TEST(AliasTable, ignores_dots_and_knows_other_separators_where_a_domain_says_so) {
  DomainInput dots{"dots.example", {"j.doe", "john-x"}, true, "in.fo: j.d.oe\n", "aliases"};
  dots.settings.ignore_dots = true;
  dots.settings.suffix_separators = "-=";
  ask({&dots, 1},
      std::vector<Question>{{"jdoe@dots.example", "j.doe@dots.example"},
                            {"J.D.O.E@dots.example", "j.doe@dots.example"},
                            {"info@dots.example", "j.doe@dots.example"},
                            {"j.doe-tag=x@dots.example", "j.doe@dots.example"},
                            {"john-x-tag@dots.example", "john-x@dots.example"},
                            {"john-y@dots.example", "unknown "},
                            {"jdoe+tag@dots.example", "unknown "}});
  DomainInput none = example_com("");
  none.settings.suffix_separators = "";
  ask({&none, 1},
      std::vector<Question>{{"alice+x@example.com", "unknown "},
                            {"a.lice@example.com", "unknown "}});
}

TEST(AliasTable, tells_a_target_that_has_no_mailbox) {
  const auto built =
      std::vector{build_alias_table(std::vector{with_role(Role::send_forward, "info: ann\n")}),
                  build_alias_table(
                      std::vector{with_role(Role::send_forward, "ann: :keep:, x@far.example\n")})};
  for (const auto& each : built)
    EXPECT_EQ(each.problems,
              std::vector<std::string>{
                  "aliases:1: ann@d.example has no mailbox, since the role of d.example is "
                  "\"send+forward\"; name where it goes"});
}

TEST(AliasTable, knows_the_users_behind_an_address_whatever_the_role) {
  const DomainInput inputs[] = {
      example_com("info: alice, me@gmail.example\nbob: me@gmail.example\nteam: info, bob\n"),
      with_role(Role::send, "help: ann\n"),
  };
  const auto built = build_alias_table(inputs);
  const auto names = [&](std::string_view asked) {
    std::string all;
    for (const auto& user : built.table.users_behind(mail::parse_address(asked).value()))
      all += user.text() + " ";
    return all;
  };
  EXPECT_EQ(names("info@example.com"), "alice@example.com ");
  EXPECT_EQ(names("team@example.com"), "Bob@example.com alice@example.com ");
  EXPECT_EQ(names("help@d.example"), "ann@d.example ");
  EXPECT_EQ(names("ann+x@d.example"), "ann@d.example ");
  EXPECT_EQ(names("nobody@example.com"), "");
  EXPECT_EQ(names("alice@far.example"), "");
}

}  // namespace
}  // namespace tapal::alias
