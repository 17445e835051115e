#include "drivers/files/ownership.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/files/files.h"
#include "drivers/files/scratch_folder.h"

namespace tapal::files {
namespace {

constexpr Owner somebody{65534, 65534};

uid_t owner_of(const std::filesystem::path& path) {
  struct stat facts{};
  return lstat(path.c_str(), &facts) == 0 ? facts.st_uid : static_cast<uid_t>(-1);
}

// Only root may give files away.
class Ownership : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "not root";
  }
  ScratchFolder scratch_;
};

TEST_F(Ownership, what_root_makes_in_a_users_folder_is_the_users) {
  ASSERT_EQ(chown(scratch_.path().c_str(), somebody.user, somebody.group), 0);
  ASSERT_TRUE(write_atomically(scratch_.path() / "file", "x", 0600));
  ASSERT_TRUE(append_line(scratch_.path() / "log", "x", 0600));
  ASSERT_TRUE(create_folder(scratch_.path() / "a/b", 0700));
  ASSERT_TRUE(open_lock(scratch_.path() / "lock"));
  ASSERT_TRUE(edit_file(scratch_.path() / "edited", 0600, [](auto) { return std::string("x"); }));
  for (const auto* name : {"file", "log", "a", "a/b", "lock", "edited", "edited.lock"})
    EXPECT_EQ(owner_of(scratch_.path() / name), somebody.user) << name;
}

TEST_F(Ownership, what_root_makes_in_its_own_folder_stays_its_own) {
  ASSERT_TRUE(write_atomically(scratch_.path() / "file", "x", 0600));
  EXPECT_EQ(owner_of(scratch_.path() / "file"), 0U);
  EXPECT_FALSE(owner_to_follow(scratch_.path()));
}

TEST_F(Ownership, a_folder_is_given_whole_but_for_what_lies_elsewhere) {
  const auto folder = scratch_.path() / "folder";
  ASSERT_TRUE(create_folder(folder / "below", 0700));
  ASSERT_TRUE(write_atomically(folder / "below/file", "x", 0600));
  const auto elsewhere = scratch_.write("elsewhere", "x");
  const auto linked = scratch_.write("linked", "x");
  std::filesystem::create_symlink(elsewhere, folder / "link");
  std::filesystem::create_hard_link(linked, folder / "second-name");
  ASSERT_TRUE(give_folder(folder, somebody));
  for (const auto* name : {"", "below", "below/file", "link"})
    EXPECT_EQ(owner_of(folder / name), somebody.user) << name;
  EXPECT_EQ(owner_of(elsewhere), 0U);
  EXPECT_EQ(owner_of(linked), 0U);
  EXPECT_FALSE(give_folder(scratch_.path() / "nowhere", somebody));
}

}  // namespace
}  // namespace tapal::files
