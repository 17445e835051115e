#include "rules/account/app_password.h"

#include <set>

#include <gtest/gtest.h>

namespace tapal::account {
namespace {

using namespace std::chrono_literals;

AppPassword made(std::string_view name, std::string_view password) {
  return {std::string(name), 2026y / 11 / 26, app_password_digest(password).value()};
}

TEST(AppPassword, is_written_and_read_as_one_word) {
  const auto password = made("gmail", "abcde-fghjk-mnpqr-stvwx-yz012");
  EXPECT_TRUE(password.text().starts_with("app-password=gmail,2026-11-26,sha256:"));
  const auto read = AppPassword::from_text(password.text());
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->name, "gmail");
  EXPECT_EQ(read->created, password.created);
  EXPECT_EQ(read->digest, password.digest);
}

TEST(AppPassword, refuses_what_is_none_and_repeats_nothing_of_it) {
  const std::string good = made("gmail", "abcde-fghjk-mnpqr-stvwx-yz012").text();
  const std::string hash = good.substr(good.find("sha256:"));
  const std::pair<std::string_view, std::string> cases[] = {
      {"nothing", "app-password="},
      {"no date", "app-password=gmail," + hash},
      {"no such day", "app-password=gmail,2026-02-30," + hash},
      {"a short date", "app-password=gmail,2026-1-1," + hash},
      {"a sign in the date", "app-password=gmail,2026-+1-01," + hash},
      {"a password in clear text", "app-password=gmail,2026-11-26,hunter2"},
      {"another hash", "app-password=gmail,2026-11-26,md5:hunter2"},
      {"a short hash", "app-password=gmail,2026-11-26,sha256:aGFzaA=="},
      {"capitals", "app-password=Gmail,2026-11-26," + hash},
      {"no name", "app-password=,2026-11-26," + hash},
      {"a long name", "app-password=" + std::string(33, 'x') + ",2026-11-26," + hash},
      {"more", good + ",x"},
      {"another word", "may-send-as=a@b.example"},
  };
  for (const auto& [name, word] : cases) {
    SCOPED_TRACE(name);
    const auto read = AppPassword::from_text(word);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::invalid);
    EXPECT_EQ(read.error().what.find("hunter2"), std::string::npos);
  }
}

TEST(AppPassword, is_the_same_however_it_is_typed) {
  const auto digest = app_password_digest("abcde-fghjk-mnpqr-stvwx-yz012");
  ASSERT_TRUE(digest);
  for (const std::string_view typed : {"abcdefghjkmnpqrstvwxyz012",
                                       "ABCDE FGHJK MNPQR STVWX YZ012",
                                       " abcde-fghjk-mnpqr-stvwx-yz012 "})
    EXPECT_EQ(app_password_digest(typed), digest) << typed;
  EXPECT_NE(app_password_digest("abcde-fghjk-mnpqr-stvwx-yz013"), digest);
  for (const std::string_view other : {"",
                                       "abcde-fghjk-mnpqr-stvwx-yz01",
                                       "abcde-fghjk-mnpqr-stvwx-yz0123",
                                       "abcde-fghjk-mnpqr-stvwx-yz01o",
                                       "abcde_fghjk_mnpqr_stvwx_yz012"})
    EXPECT_FALSE(app_password_digest(other)) << other;
}

TEST(AppPassword, is_spelled_from_random_bytes_with_every_character_alike) {
  std::set<char> seen;
  for (int first = 0; first < 256; ++first) {
    const auto password = readable_password(std::string(25, static_cast<char>(first)));
    EXPECT_EQ(password.size(), 29U);
    EXPECT_TRUE(app_password_digest(password)) << password;
    seen.insert(password.front());
  }
  EXPECT_EQ(seen.size(), 32U);
}

TEST(AppPassword, is_found_among_others) {
  const std::vector passwords{made("gmail", "abcde-fghjk-mnpqr-stvwx-yz012"),
                              made("phone", "bbcde-fghjk-mnpqr-stvwx-yz012")};
  EXPECT_EQ(find_app_password(passwords, passwords[1].digest), &passwords[1]);
  EXPECT_EQ(find_app_password(passwords, crypto::Digest{}), nullptr);
  EXPECT_EQ(find_app_password({}, passwords[1].digest), nullptr);
}

}  // namespace
}  // namespace tapal::account
