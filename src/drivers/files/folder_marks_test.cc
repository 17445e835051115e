#include "drivers/files/folder_marks.h"

#include <gtest/gtest.h>

#include "drivers/files/files.h"
#include "drivers/files/scratch_folder.h"

namespace tapal::files {
namespace {

bool changed_since(const FolderMarks& marks, const std::filesystem::path& folder) {
  return !(FolderMarks::take(folder) == marks);
}

namespace fs = std::filesystem;

TEST(FolderMarks, tell_new_changed_replaced_and_removed_files) {
  const ScratchFolder scratch;
  const fs::path file = scratch.write("certs/a/fullchain.pem", "one");
  const auto changed_by = [&](auto&& change) {
    const FolderMarks before = FolderMarks::take(scratch.path());
    EXPECT_FALSE(changed_since(before, scratch.path()));
    change();
    return changed_since(before, scratch.path());
  };
  EXPECT_TRUE(changed_by([&] { scratch.write("certs/b/fullchain.pem", "two"); }));
  EXPECT_TRUE(changed_by([&] { scratch.write("certs/a/fullchain.pem", "longer"); }));
  EXPECT_TRUE(changed_by([&] { ASSERT_TRUE(write_atomically(file, "samele", 0600)); }));
  EXPECT_TRUE(changed_by([&] { fs::remove(file); }));
  EXPECT_FALSE(changed_by([&] { scratch.write("certs/.hidden", "x"); }));
  EXPECT_FALSE(changed_by([&] { scratch.write("certs/users.lock", ""); }));
}

TEST(FolderMarks, follow_links_as_acme_clients_set_them) {
  const ScratchFolder scratch;
  scratch.write("archive/one.pem", "1");
  scratch.write("archive/two.pem", "2");
  fs::create_directories(scratch.path() / "live/a");
  const fs::path link = scratch.path() / "live/a/fullchain.pem";
  fs::create_symlink("../../archive/one.pem", link);
  const FolderMarks before = FolderMarks::take(scratch.path() / "live");
  fs::remove(link);
  fs::create_symlink("../../archive/two.pem", link);
  EXPECT_TRUE(changed_since(before, scratch.path() / "live"));
}

TEST(FolderMarks, end_in_a_folder_that_contains_itself_and_in_none) {
  const ScratchFolder scratch;
  scratch.write("a/file", "x");
  fs::create_symlink("..", scratch.path() / "a/up");
  const FolderMarks marks = FolderMarks::take(scratch.path());
  EXPECT_FALSE(changed_since(marks, scratch.path()));
  EXPECT_EQ(FolderMarks::take(scratch.path() / "none"), FolderMarks());
}

}  // namespace
}  // namespace tapal::files
