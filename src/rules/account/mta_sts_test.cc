#include "rules/account/mta_sts.h"

#include <gtest/gtest.h>

namespace tapal::account {
namespace {

using Hosts = std::vector<std::string>;
using tlspolicy::MtaStsMode;

TEST(MtaStsPolicy, names_us_and_who_else_takes_the_mail) {
  struct Case {
    std::string_view name;
    DomainSettings settings;
    Hosts mx;
  };
  const Case cases[] = {
      {"alone", {}, {"mail.example.com"}},
      {"aliases only", {.role = Role::send_forward}, {"mail.example.com"}},
      {"with a backup",
       {.mta_sts_mx = {"mx2.example.net"}},
       {"mail.example.com", "mx2.example.net"}},
      {"ourselves again", {.mta_sts_mx = {"mail.example.com"}}, {"mail.example.com"}},
      {"as the backup",
       {.role = Role::backup_mx, .mta_sts_mx = {"mx1.example.net"}},
       {"mail.example.com", "mx1.example.net"}},
  };
  for (const auto& [name, settings, mx] : cases) {
    SCOPED_TRACE(name);
    const auto policy = mta_sts_policy(settings, "mail.example.com");
    ASSERT_TRUE(policy);
    EXPECT_EQ(policy->mx, mx);
    EXPECT_EQ(policy->mode, MtaStsMode::testing);
  }
}

TEST(MtaStsPolicy, is_none_of_ours_where_others_take_the_mail) {
  EXPECT_FALSE(mta_sts_policy({.role = Role::send}, "mail.example.com"));
  EXPECT_FALSE(mta_sts_policy({.role = Role::backup_mx}, "mail.example.com"));
}

TEST(MtaStsPolicy, is_forgotten_soon_when_taken_back) {
  const auto policy = mta_sts_policy({.mta_sts = MtaStsMode::none}, "mail.example.com");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->mode, MtaStsMode::none);
  EXPECT_EQ(policy->mx, Hosts());
  EXPECT_EQ(policy->max_age, std::chrono::days(1));
}

}  // namespace
}  // namespace tapal::account
