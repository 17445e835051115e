#include "services/upkeep/backup_manifest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "values/text/hex.h"

namespace tapal::upkeep {
namespace {

BackupManifest example() {
  return {"0.1.0",
          WallTime(std::chrono::milliseconds(1'795'000'000'123)),
          BackupPurpose::move,
          1,
          2,
          {{"config/tapal.toml", 5, crypto::sha256("hello")},
           {"spool/bodies/a b", 0, crypto::sha256("")}}};
}

// With the end that belongs to it.
std::string ended(std::string text) {
  return text + fmt::format("end {}\n", text::to_hex(crypto::bytes_of(crypto::sha256(text))));
}

std::string changed(std::string_view from, std::string_view to) {
  auto text = to_text(example());
  text.erase(text.rfind("end "));
  return ended(text.replace(text.find(from), from.size(), to));
}

TEST(BackupManifest, is_read_as_it_was_written) {
  auto manifest = example();
  EXPECT_EQ(manifest_from_text(to_text(manifest)).value(), manifest);
  manifest.spool_version.reset();
  manifest.purpose = BackupPurpose::copy;
  EXPECT_EQ(manifest_from_text(to_text(manifest)).value(), manifest);
}

TEST(BackupManifest, is_refused_when_it_is_cut_off_or_changed_anywhere) {
  const auto text = to_text(example());
  for (std::size_t at = 0; at < text.size(); ++at) {
    EXPECT_FALSE(manifest_from_text(text.substr(0, at))) << at;
    auto other = text;
    other[at] ^= 1;
    EXPECT_FALSE(manifest_from_text(other)) << at;
  }
}

TEST(BackupManifest, of_another_form_is_refused_with_what_to_do) {
  const auto read = manifest_from_text("tapal backup 2 by 7.1\nsomething else");
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().what.contains("form 2, made by tapal 7.1; this tapal knows form 1"))
      << read.error().what;
}

TEST(BackupManifest, names_no_file_that_leads_elsewhere) {
  for (const auto* name : {"config/../x",
                           "/etc/passwd",
                           "config//x",
                           "config/.git/hooks/x",
                           "spool/",
                           "manifest",
                           "other/x",
                           "config.sealed/x",
                           ""}) {
    const auto read = manifest_from_text(changed("config/tapal.toml", name));
    ASSERT_FALSE(read) << name;
    EXPECT_TRUE(read.error().what.contains("no place here")) << read.error().what;
  }
}

TEST(BackupManifest, says_where_it_cannot_be_understood) {
  struct Case {
    std::string_view from, to;
  };
  for (const auto& [from, to] : {Case{"purpose move", "purpose fun"},
                                 Case{"configuration 1", "configuration -1"},
                                 Case{"spool 2", "spool two"},
                                 Case{" 5 config", " five config"},
                                 Case{" 5 config", " 99999999999999999999 config"},
                                 Case{"2cf24d", "2cf2"},
                                 Case{"made ", "mode "}})
    EXPECT_FALSE(manifest_from_text(changed(from, to))) << to;
}

}  // namespace
}  // namespace tapal::upkeep
