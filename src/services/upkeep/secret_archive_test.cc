#include "services/upkeep/secret_archive.h"

#include <gtest/gtest.h>

namespace tapal::upkeep {
namespace {

TEST(SecretArchive, unpacks_what_was_packed_whatever_the_order) {
  const ArchivedFile a{"a/b.pem", std::string("\0\n5 x\n", 6)};
  const ArchivedFile b{"c", ""};
  const auto archive = pack({b, a});
  EXPECT_EQ(archive, pack({a, b}));
  EXPECT_EQ(unpack(archive).value(), (std::vector{a, b}));
}

TEST(SecretArchive, is_refused_when_cut_off_anywhere_but_between_files) {
  const auto archive = pack({{"a", "123"}, {"b", "45"}});
  const auto first = pack({{"a", "123"}});
  for (std::size_t at = 1; at < archive.size(); ++at)
    EXPECT_EQ(unpack(archive.substr(0, at)).has_value(), at == first.size()) << at;
}

TEST(SecretArchive, holds_no_file_that_leads_out_of_its_folder) {
  for (const auto* path : {"/etc/passwd",
                           "../x",
                           "a/../../x",
                           "a//b",
                           "",
                           ".",
                           ".git/hooks/x",
                           "a/.GIT/config",
                           "a\\..\\b",
                           "a/"}) {
    EXPECT_FALSE(is_archive_path(path)) << path;
    EXPECT_FALSE(unpack(pack({{path, "x"}}))) << path;
  }
  EXPECT_TRUE(is_archive_path("domains/example.com/.gitx"));
}

}  // namespace
}  // namespace tapal::upkeep
