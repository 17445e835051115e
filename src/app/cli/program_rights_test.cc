#include "app/cli/program_rights.h"

#include <gtest/gtest.h>

namespace tapal::app {
namespace {

TEST(ProgramRights, are_never_root_s_unless_that_is_said) {
  const auto unsaid = program_rights("", 0);
  ASSERT_TRUE(unsaid);
  EXPECT_TRUE(unsaid->refusal.contains("programs.user")) << unsaid->refusal;
  const auto said = program_rights("root", 0);
  ASSERT_TRUE(said);
  EXPECT_TRUE(said->refusal.empty());
  EXPECT_FALSE(said->user);
}

TEST(ProgramRights, are_our_own_or_those_of_the_user_that_is_named) {
  const auto own = program_rights("", 1000);
  ASSERT_TRUE(own);
  EXPECT_TRUE(own->refusal.empty() && !own->user);
  const auto nobody = program_rights("nobody", 0);
  ASSERT_TRUE(nobody && nobody->user) << nobody.error().what;
  EXPECT_NE(nobody->user->id, 0U);
  EXPECT_FALSE(nobody->user->groups.empty());
  const auto same = program_rights("nobody", nobody->user->id);
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->user);
}

TEST(ProgramRights, are_refused_where_there_is_no_such_user_or_it_is_not_ours_to_become) {
  const auto unknown = program_rights("no-such-user", 0);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().what, "programs.user: this machine has no user no-such-user");
  const auto other = program_rights("nobody", 4'000'000'000);
  ASSERT_FALSE(other);
  EXPECT_TRUE(other.error().what.contains("only root")) << other.error().what;
}

}  // namespace
}  // namespace tapal::app
