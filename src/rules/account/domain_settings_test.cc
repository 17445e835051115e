#include "rules/account/domain_settings.h"

#include <gtest/gtest.h>

namespace tapal::account {
namespace {

TEST(DomainSettings, are_the_usual_ones_without_a_word) {
  const auto file = read_domain_settings("# nothing\n", "domain.toml");
  EXPECT_TRUE(file.problems.empty());
  EXPECT_EQ(file.settings, DomainSettings{});
}

TEST(DomainSettings, say_what_a_domain_is_for) {
  const auto file = read_domain_settings(
      "role = \"send+forward\"\nignore_dots = true\nsuffix_separators = \"+-\"\ndmarc = "
      "\"quarantine\"\n",
      "domain.toml");
  EXPECT_EQ(file.problems, std::vector<std::string>());
  EXPECT_EQ(file.settings,
            (DomainSettings{.role = Role::send_forward,
                            .ignore_dots = true,
                            .suffix_separators = "+-",
                            .dmarc = DmarcPractice::quarantine}));
  const auto sts = read_domain_settings(
      "mta_sts = \"enforce\"\nmta_sts_mx = [\"MX2.example.net\"]\n"
      "imap_server = \"IMAP.example.net\"\n",
      "f");
  EXPECT_EQ(sts.problems, std::vector<std::string>());
  EXPECT_EQ(sts.settings.mta_sts, tlspolicy::MtaStsMode::enforce);
  EXPECT_EQ(sts.settings.mta_sts_mx, std::vector<std::string>{"mx2.example.net"});
  EXPECT_EQ(sts.settings.imap_server, "imap.example.net");
  for (const Role role : {Role::receive, Role::send, Role::send_forward, Role::backup_mx}) {
    const auto text = "role = \"" + std::string(text_of(role)) + "\"";
    EXPECT_EQ(read_domain_settings(text, "f").settings.role, role);
  }
  EXPECT_EQ(read_domain_settings("suffix_separators = \"\"", "f").settings.suffix_separators, "");
}

TEST(DomainSettings, tell_the_line_of_what_is_wrong) {
  struct Case {
    std::string_view name, text, told;
  };
  const Case cases[] = {
      {"no such role",
       "\nrole = \"relay\"\n",
       "f:2: role: expected \"receive\", \"send\", \"send+forward\", \"backup-mx\""},
      {"a role that is no text", "role = 1\n", "f:1: role: expected \"receive\""},
      {"no such practice", "dmarc = \"none\"\n", "f:1: dmarc: expected \"honour\", \"quarantine\""},
      {"a flag in quotes", "ignore_dots = \"yes\"\n", "f:1: ignore_dots: expected true or false"},
      {"a letter to part", "suffix_separators = \"x\"\n", "f:1: suffix_separators: expected"},
      {"no such mode", "mta_sts = \"on\"\n", "f:1: mta_sts: expected \"testing\", \"enforce\""},
      {"one host, no list", "mta_sts_mx = \"mx2.example\"\n", "f:1: mta_sts_mx: expected a list"},
      {"an address for a host",
       "imap_server = \"192.0.2.1\"\n",
       "f:1: imap_server: expected a host"},
      {"no host", "mta_sts_mx = [\"-\"]\n", "f:1: mta_sts_mx: expected a list of host names"},
      {"an at sign to part", "suffix_separators = \"@\"\n", "f:1: suffix_separators: expected"},
      {"unknown", "rolle = \"send\"\n", "f:1: rolle: there is no such setting; a domain has role"},
      {"in a table", "[domain]\nrole = \"send\"\n", "f:2: domain.role: there is no such setting"},
      {"no TOML", "role = send\n", "f:1: this is not TOML"},
  };
  for (const auto& [name, text, told] : cases) {
    SCOPED_TRACE(name);
    const auto problems = read_domain_settings(text, "f").problems;
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_TRUE(problems[0].starts_with(told)) << problems[0];
  }
}

}  // namespace
}  // namespace tapal::account
