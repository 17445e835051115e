// What config_folder reads about who gets the mail: roles, included files, keys of return paths.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "drivers/files/config_folder.h"
#include "drivers/files/scratch_folder.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;
using account::Role;

class ConfigAliases : public ::testing::Test {
 protected:
  ConfigAliases() {
    scratch.write("domains/example.com/users", "ann: $argon2id$a\n");
    scratch.write("domains/example.com/aliases", "postmaster: ann\nabuse: ann\n");
  }
  ConfigFolder load() const { return load_config_folder({scratch.path(), {}}); }
  // The one problem there is, without the folder in front.
  std::string problem() const {
    const auto problems = load().problems;
    if (problems.size() != 1) return std::to_string(problems.size()) + " problems";
    return problems[0].substr(std::min(problems[0].size(), scratch.path().string().size() + 1));
  }
  std::string targets(std::string_view local) const {
    std::string all;
    for (const auto& target : load().aliases.resolve({std::string(local), "example.com"}).targets)
      all += target.address.text() + " ";
    return all;
  }

  ScratchFolder scratch;
};

TEST_F(ConfigAliases, heeds_what_domain_toml_says) {
  EXPECT_EQ(load().directory.settings("example.com")->role, Role::receive);
  EXPECT_TRUE(load().directory.has_mailboxes("EXAMPLE.com"));
  EXPECT_EQ(load().directory.settings("far.example"), nullptr);
  scratch.write("domains/example.com/domain.toml", "role = \"send\"\ndmarc = \"ignore\"\n");
  const auto folder = load();
  EXPECT_EQ(folder.problems, std::vector<std::string>());
  EXPECT_EQ(folder.directory.settings("example.com")->dmarc, account::DmarcPractice::ignore);
  EXPECT_FALSE(folder.directory.has_mailboxes("example.com"));
  EXPECT_EQ(folder.aliases.resolve({"ann", "example.com"}).status,
            alias::Resolution::Status::elsewhere);
  scratch.write("domains/example.com/domain.toml", "\nrole = \"sender\"\n");
  EXPECT_TRUE(problem().starts_with("domains/example.com/domain.toml:2: role: expected"))
      << problem();
}

TEST_F(ConfigAliases, includes_files_of_the_configuration_folder_only) {
  scratch.write("domains/example.com/lists/staff", "ann\nx@far.example\n");
  scratch.write("domains/example.com/aliases",
                "postmaster: ann\nabuse: ann\nall: :include: lists/staff\n");
  EXPECT_EQ(targets("all"), "ann@example.com x@far.example ");
  scratch.write("shared", "y@far.example\n");
  const auto list = scratch.path() / "domains/example.com/lists/staff";
  fs::remove(list);
  fs::create_symlink("../../../shared", list);
  EXPECT_EQ(targets("all"), "y@far.example ");

  const ScratchFolder outside;
  fs::remove(list);
  fs::create_symlink(outside.write("list", "z@far.example\n"), list);
  EXPECT_TRUE(problem().ends_with("lists/staff leads out of the configuration folder"))
      << problem();
  fs::remove(list);
  EXPECT_TRUE(problem().contains("aliases:3: ")) << problem();
  EXPECT_TRUE(problem().contains("lists/staff: No such file")) << problem();
  scratch.write("domains/example.com/lists/staff", std::string(alias::include_bytes_max + 1, '\n'));
  EXPECT_TRUE(problem().contains("is longer than 262144 bytes")) << problem();
}

TEST_F(ConfigAliases, reads_keys_for_return_paths_when_there_are_some) {
  EXPECT_FALSE(load().srs_keys);
  EXPECT_EQ(load().notices, std::vector<std::string>());
  scratch.write("domains/example.com/aliases", "postmaster: ann, x@far.example\nabuse: ann\n");
  ASSERT_EQ(load().notices.size(), 1U);
  EXPECT_TRUE(load().notices[0].contains("srs.keys: there is no such file")) << load().notices[0];
  const auto file = scratch.write("srs.keys", "0123456789abcdef\nfedcba9876543210\n");
  EXPECT_EQ(file, srs_keys_file(scratch.path()));
  EXPECT_EQ(load().srs_keys->current, "0123456789abcdef");
  EXPECT_EQ(load().srs_keys->previous, "fedcba9876543210");
  EXPECT_EQ(load().notices, std::vector<std::string>());
  fs::permissions(file, fs::perms(0644));
  EXPECT_EQ(load().notices.size(), 1U);
  scratch.write("srs.keys", "secret\n");
  EXPECT_EQ(problem(), "srs.keys:1: a key has 16 to 1024 characters");
  EXPECT_FALSE(load().srs_keys);
}

TEST_F(ConfigAliases, reads_a_draft_in_the_place_of_a_file) {
  const auto file = aliases_file(scratch.path(), "example.com");
  const auto draft = [&](std::string text) {
    return load_config_folder(
        {.folder = scratch.path(), .draft = {{.file = file, .text = std::move(text)}}});
  };
  EXPECT_EQ(draft("info: nobody\n").problems.size(), 1U);
  EXPECT_EQ(draft("info: ann\n").aliases.resolve({"info", "example.com"}).targets.size(), 1U);
  fs::remove(file);
  EXPECT_EQ(draft("info: nobody\n").problems.size(), 1U);
  EXPECT_TRUE(load().problems.empty());
}

}  // namespace
}  // namespace tapal::files
