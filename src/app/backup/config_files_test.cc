#include "app/backup/config_files.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "drivers/files/scratch_folder.h"

namespace tapal::app {
namespace {

TEST(ConfigFiles, are_not_what_is_in_passing_or_was_put_aside) {
  for (const auto* path : {".git/config",
                           "tapal.toml.lock",
                           "certs/a/.privkey.pem.3.0.new",
                           "before-version-1.tar",
                           "before-version-2.tar.part",
                           "replaced-17/tapal.toml"})
    EXPECT_FALSE(is_configuration(path)) << path;
  for (const auto* path :
       {"tapal.toml", ".gitignore", "domains/a.example/users", "domains/replaced-1", "backup.seal"})
    EXPECT_TRUE(is_configuration(path)) << path;
}

TEST(ConfigFiles, are_read_through_links_to_files_and_without_the_state) {
  const files::ScratchFolder folder;
  folder.write("elsewhere/key", "secret");
  folder.write("config/tapal.toml", "hostname = \"a.example\"\nstate_folder = \"state\"\n");
  folder.write("config/state/mail/new/1", "mail");
  const auto config = folder.path() / "config";
  std::filesystem::create_symlink("../elsewhere/key", config / "key");
  std::filesystem::create_symlink("../elsewhere", config / "linked");
  std::filesystem::create_symlink("nowhere", config / "broken");
  const auto found = read_config_files(config);
  ASSERT_TRUE(found) << found.error().what;
  ASSERT_EQ(found->files.size(), 2U);
  EXPECT_EQ(found->files[0], (upkeep::ArchivedFile{"key", "secret"}));
  EXPECT_EQ(found->files[1].path, "tapal.toml");
  auto left_out = found->left_out;
  std::ranges::sort(left_out);
  EXPECT_EQ(left_out, (std::vector<std::string>{"broken", "linked"}));
}

}  // namespace
}  // namespace tapal::app
