#include "drivers/files/folder_lock.h"

#include <optional>

#include <gtest/gtest.h>

#include "drivers/files/scratch_folder.h"

namespace tapal::files {
namespace {

TEST(FolderLock, is_held_by_one_at_a_time) {
  const ScratchFolder scratch;
  std::optional<FolderLock> held =
      FolderLock::take(scratch.path() / "changes", "changes DNS").value();
  const auto second = FolderLock::take(scratch.path() / "changes", "changes DNS");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::denied);
  EXPECT_TRUE(second.error().what.starts_with("another tapal changes DNS now"));
  held.reset();
  EXPECT_TRUE(FolderLock::take(scratch.path() / "changes", "changes DNS"));
}

}  // namespace
}  // namespace tapal::files
