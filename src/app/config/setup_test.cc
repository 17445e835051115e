#include "app/config/setup.h"

#include <gtest/gtest.h>

#include "app/config/signing_keys.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/scratch_folder.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> files_under(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      all[entry.path().lexically_relative(folder)] = files::ScratchFolder::read(entry.path());
  return all;
}

TEST(SetUp, makes_a_folder_that_can_be_used_and_changes_nothing_the_second_time) {
  const files::ScratchFolder scratch;
  const SetupOptions options{.config = scratch.path() / "config",
                             .domain = "own.example",
                             .hostname = "mail.own.example",
                             .state_folder = "/tmp/state"};
  const auto first = set_up(options);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->done.size(), 5U);
  for (const auto& line : first->done) EXPECT_TRUE(line.starts_with("made    ")) << line;
  EXPECT_TRUE(first->dkim_record.contains("._domainkey.own.example")) << first->dkim_record;
  EXPECT_TRUE(first->dkim_record.contains("v=DKIM1; k=rsa; p=")) << first->dkim_record;
  const auto made = files_under(options.config);
  EXPECT_TRUE(made.contains("tapal.toml"));
  EXPECT_TRUE(made.at("tapal.toml").contains("state_folder = \"/tmp/state\""));
  EXPECT_TRUE(made.contains("srs.keys"));
  EXPECT_TRUE(made.contains("certs/mail.own.example/fullchain.pem"));
  EXPECT_EQ(made.at("webhook.key").size(), 65U);
  for (const auto& entry : fs::recursive_directory_iterator(options.config)) {
    const auto others =
        fs::status(entry).permissions() & (fs::perms::group_all | fs::perms::others_all);
    EXPECT_EQ(others, fs::perms::none) << entry.path();
  }

  const auto folder = files::load_config_folder({options.config, {}});
  EXPECT_EQ(folder.signing_keys.at("own.example").size(), 1U);
  EXPECT_EQ(folder.certificates.size(), 1U);
  EXPECT_TRUE(folder.srs_keys);

  const auto second = set_up(options);
  ASSERT_TRUE(second) << second.error().what;
  for (const auto& line : second->done) EXPECT_TRUE(line.starts_with("kept    ")) << line;
  EXPECT_EQ(second->dkim_record, first->dkim_record);
  EXPECT_EQ(files_under(options.config), made);

  auto other = options;
  other.domain = "two.example";
  const auto third = set_up(other);
  ASSERT_TRUE(third) << third.error().what;
  const auto after = files_under(options.config);
  EXPECT_EQ(after.size(), made.size() + 1);
  for (const auto& [name, text] : made) EXPECT_EQ(after.at(name), text) << name;
}

TEST(SetUp, says_what_is_in_the_way) {
  const files::ScratchFolder scratch;
  const auto file = scratch.write("config", "a file");
  EXPECT_FALSE(set_up({.config = file, .domain = "own.example", .hostname = "mail.own.example"}));
  EXPECT_EQ(files::ScratchFolder::read(file), "a file");
}

TEST(WriteSigningKey, never_overwrites_a_key) {
  const files::ScratchFolder scratch;
  const auto first = crypto::PrivateKey::generate_ed25519().value();
  const auto second = crypto::PrivateKey::generate_ed25519().value();
  EXPECT_TRUE(write_signing_key(scratch.path(), "own.example", "s1", first));
  EXPECT_EQ(write_signing_key(scratch.path(), "own.example", "s1", second).error().code,
            Code::invalid);
  EXPECT_TRUE(write_signing_key(scratch.path(), "own.example", "s2", second));
  const auto file = files::signing_key_file(scratch.path(), "own.example", "s1");
  EXPECT_EQ(files::ScratchFolder::read(file), first.to_pem());
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(DkimZoneLine, cuts_a_long_key_into_strings) {
  const auto rsa = crypto::PrivateKey::generate_rsa(2048).value();
  const auto line = dkim_zone_line("own.example", "s1", rsa).value();
  EXPECT_TRUE(line.starts_with("s1._domainkey.own.example.")) << line;
  std::size_t begin = line.find('"');
  std::size_t strings = 0;
  while (begin != std::string::npos) {
    const auto end = line.find('"', begin + 1);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - begin - 1, 255U);
    ++strings;
    begin = line.find('"', end + 1);
  }
  EXPECT_EQ(strings, 2U);
  EXPECT_FALSE(dkim_zone_line("own.example", "s1", crypto::PrivateKey::generate_ec_p256().value()));
}

TEST(SelectorOfToday, tells_the_day) {
  EXPECT_EQ(selector_of_today(WallTime{std::chrono::days(20'779)}), "tapal20261122");
}

}  // namespace
}  // namespace tapal::app
