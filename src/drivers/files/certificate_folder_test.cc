#include "drivers/files/certificate_folder.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "drivers/files/scratch_folder.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

struct CertificateFolderTest : testing::Test {
  ScratchFolder scratch;
  CertificateFolder folder{scratch.path() / "certs", scratch.path() / "acme"};
  fs::path of(const char* file) const { return scratch.path() / "certs" / "a.example" / file; }
};

mode_t mode_of(const fs::path& path) {
  struct stat facts{};
  stat(path.c_str(), &facts);
  return facts.st_mode & 07777U;
}

TEST_F(CertificateFolderTest, keeps_a_set_whole_and_for_its_owner_alone) {
  ASSERT_TRUE(folder.put("a.example", {"chain 1", "key 1", "next 1", "note 1"}));
  ASSERT_TRUE(folder.put("a.example", {"chain 2", "key 2", "next 2", "note 2"}));
  EXPECT_EQ(ScratchFolder::read(of("fullchain.pem")), "chain 2");
  EXPECT_EQ(ScratchFolder::read(of("privkey.pem")), "key 2");
  EXPECT_EQ(folder.next_key("a.example"), "next 2");
  for (const auto* file : {"fullchain.pem", "privkey.pem", "next.pem", ".order.json"})
    EXPECT_EQ(mode_of(of(file)), 0600U) << file;
  EXPECT_EQ(mode_of(of("")), 0700U);
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path() / "certs"), {}), 1);
}

TEST_F(CertificateFolderTest, lists_its_own_and_those_of_others) {
  ASSERT_TRUE(folder.list());
  EXPECT_TRUE(folder.list()->empty());
  ASSERT_TRUE(folder.put("b.example", {"chain", "key", "next", "note"}));
  scratch.write("certs/a.example/fullchain.pem", "theirs");
  scratch.write("certs/archive/readme", "");
  scratch.write("certs/.b.example.new/fullchain.pem", "half");
  const auto listed = folder.list();
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ(listed->at(0).name, "a.example");
  EXPECT_EQ(listed->at(0).note, "");
  EXPECT_EQ(listed->at(1).chain_pem, "chain");
  EXPECT_EQ(listed->at(1).note, "note");
}

TEST_F(CertificateFolderTest, keeps_a_note_of_what_is_not_there_yet) {
  ASSERT_TRUE(folder.put_note("a.example", "no luck"));
  EXPECT_EQ(mode_of(scratch.path() / "certs" / ".a.example.order.json"), 0600U);
  EXPECT_FALSE(fs::exists(of("")));
  ASSERT_EQ(folder.list()->size(), 1U);
  EXPECT_EQ(folder.list()->at(0).name, "a.example");
  EXPECT_EQ(folder.list()->at(0).chain_pem, "");
  EXPECT_EQ(folder.list()->at(0).note, "no luck");
  ASSERT_TRUE(folder.put("a.example", {"chain", "key", "next", "note"}));
  ASSERT_EQ(folder.list()->size(), 1U);
  EXPECT_EQ(folder.list()->at(0).note, "note");
  EXPECT_EQ(folder.key("a.example"), "key");
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path() / "certs"), {}), 1);
}

// Whoever reads through one open folder sees one set. (Between two opens by path the set may
// change.)
TEST_F(CertificateFolderTest, never_shows_half_a_set) {
  ASSERT_TRUE(folder.put("a.example", {"0", "0", "0", "0"}));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 1; i < 20; ++i) {
      const auto text = std::to_string(i);
      EXPECT_TRUE(folder.put("a.example", {text, text, text, text}));
    }
    done = true;
  });
  while (!done) {
    const auto before = ScratchFolder::read(of("fullchain.pem"));
    const auto key = ScratchFolder::read(of("privkey.pem"));
    const auto after = ScratchFolder::read(of("fullchain.pem"));
    if (before == after) EXPECT_EQ(key, before);
  }
  writer.join();
}

TEST_F(CertificateFolderTest, goes_on_after_a_run_that_was_cut_short) {
  scratch.write("certs/.a.example.new/fullchain.pem", "half");
  ASSERT_TRUE(folder.put("a.example", {"chain", "key", "next", "note"}));
  EXPECT_EQ(ScratchFolder::read(of("fullchain.pem")), "chain");
}

TEST_F(CertificateFolderTest, keeps_accounts) {
  EXPECT_EQ(folder.account("ca").error().code, Code::not_found);
  ASSERT_TRUE(folder.put_account("ca", {"key", "note"}));
  EXPECT_EQ(folder.account("ca")->key_pem, "key");
  EXPECT_EQ(folder.account("ca")->note, "note");
  EXPECT_EQ(mode_of(scratch.path() / "acme" / "ca" / "account.pem"), 0600U);
  ASSERT_TRUE(folder.remove_account("ca"));
  EXPECT_EQ(folder.account("ca").error().code, Code::not_found);
  EXPECT_TRUE(folder.remove_account("ca"));
}

TEST_F(CertificateFolderTest, takes_no_name_that_leads_elsewhere) {
  for (const auto* name : {"", ".", "..", "../x", "a/b", ".hidden"}) {
    EXPECT_FALSE(folder.put(name, {"chain", "key", "next", "note"})) << name;
    EXPECT_FALSE(folder.put_account(name, {"key", ""})) << name;
  }
}

}  // namespace
}  // namespace tapal::files
