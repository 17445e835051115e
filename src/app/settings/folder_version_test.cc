#include "app/settings/folder_version.h"

#include <gtest/gtest.h>

#include "drivers/files/scratch_folder.h"

namespace tapal::app {
namespace {

TEST(FolderVersion, is_0_where_none_is_written_down_and_read_as_it_was_written) {
  const files::ScratchFolder folder;
  EXPECT_EQ(read_version(folder.path()).value(), 0);
  EXPECT_EQ(read_version(folder.path() / "absent").value(), 0);
  ASSERT_TRUE(write_version(folder.path(), 3));
  EXPECT_EQ(read_version(folder.path()).value(), 3);
}

TEST(FolderVersion, is_refused_when_it_is_none) {
  const files::ScratchFolder folder;
  for (const auto* text : {"", "one\n", "0\n", "-1\n", "1 2\n", "99999999999999999999\n"}) {
    folder.write("version", text);
    const auto version = read_version(folder.path());
    ASSERT_FALSE(version) << text;
    EXPECT_TRUE(version.error().what.contains((folder.path() / "version").string()));
  }
}

TEST(FolderVersion, of_a_newer_tapal_is_refused_with_both) {
  EXPECT_TRUE(check_version(spool_form, spool_form.version, "/x"));
  EXPECT_TRUE(check_version(spool_form, 0, "/x"));
  const auto refused = check_version({"spool", 4}, 5, "/x");
  ASSERT_FALSE(refused);
  for (const auto* part : {"spool of /x is of version 5", "knows version 4", "install a newer"})
    EXPECT_TRUE(refused.error().what.contains(part)) << refused.error().what;
}

}  // namespace
}  // namespace tapal::app
