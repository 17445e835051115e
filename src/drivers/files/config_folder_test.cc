#include "drivers/files/config_folder.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <unistd.h>

#include "drivers/files/scratch_folder.h"
#include "values/crypto/certificate.h"
#include "values/crypto/key.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

const std::string& ec_pem() {
  static const std::string pem = crypto::PrivateKey::generate_ec_p256()->to_pem();
  return pem;
}

const std::string& ed25519_pem() {
  static const std::string pem = crypto::PrivateKey::generate_ed25519()->to_pem();
  return pem;
}

std::string certificate_for(const std::string& pem) {
  const auto key = crypto::PrivateKey::from_pem(pem);
  const WallTime now = WallTime(std::chrono::seconds(1'760'000'000));
  return *crypto::make_self_signed({"mail.example.com"}, *key, {now, now + std::chrono::days(90)});
}

void write_good_folder(const ScratchFolder& scratch) {
  scratch.write("domains/example.com/users", "alice: $argon2id$a\nbob: $argon2id$b\n");
  scratch.write("domains/example.com/aliases",
                "postmaster: bob\nabuse: bob\ninfo: alice, carol@other.example\n");
  scratch.write("domains/example.com/dkim/t2.pem", ed25519_pem());
  scratch.write("domains/example.com/dkim/t1.pem", ed25519_pem());
  scratch.write("domains/example.com/dkim/t1.txt", "v=DKIM1; ...");
  scratch.write("domains/other.example/users", "carol: $argon2id$c\n");
  scratch.write("domains/.git/users", "not ours");
  scratch.write("certs/mail.example.com/fullchain.pem", certificate_for(ec_pem()));
  scratch.write("certs/mail.example.com/privkey.pem", ec_pem());
  scratch.write("certs/README", "ACME clients write one");
  scratch.write("certs/empty/note", "");
}

bool any_contains(const std::vector<std::string>& texts, std::string_view part) {
  return std::ranges::any_of(texts, [&](const std::string& text) { return text.contains(part); });
}

TEST(ConfigFolder, loads_domains_aliases_keys_and_certificates) {
  const ScratchFolder scratch;
  write_good_folder(scratch);
  const ConfigFolder folder = load_config_folder({scratch.path(), {}});
  EXPECT_EQ(folder.problems, std::vector<std::string>());
  EXPECT_EQ(folder.notices.size(), 1u);  // postmaster of other.example
  EXPECT_EQ(folder.directory.domains(), (std::vector<std::string>{"example.com", "other.example"}));
  EXPECT_EQ(folder.directory.user_count(), 3u);
  EXPECT_EQ(folder.aliases.resolve({"info", "example.com"}).targets.size(), 2u);
  ASSERT_EQ(folder.signing_keys.size(), 1u);
  const auto& keys = folder.signing_keys.at("example.com");
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].selector, "t1");
  EXPECT_EQ(keys[1].selector, "t2");
  EXPECT_EQ(keys[0].pem, ed25519_pem());
  EXPECT_EQ(keys[0].file, signing_key_file(scratch.path(), "example.com", "t1").string());
  ASSERT_EQ(folder.certificates.size(), 1u);
  EXPECT_EQ(folder.certificates[0].name, "mail.example.com");
  EXPECT_EQ(folder.certificates[0].key_pem, ec_pem());
}

TEST(ConfigFolder, takes_certificates_from_another_folder_when_told) {
  const ScratchFolder scratch;
  write_good_folder(scratch);
  fs::rename(scratch.path() / "certs", scratch.path() / "live");
  EXPECT_TRUE(load_config_folder({scratch.path(), {}}).certificates.empty());
  EXPECT_EQ(load_config_folder({scratch.path(), scratch.path() / "live"}).certificates.size(), 1u);
}

TEST(ConfigFolder, tells_every_problem_with_its_file_and_hides_no_other_domain) {
  const ScratchFolder scratch;
  write_good_folder(scratch);
  scratch.write("domains/example.com/users", "alice: $argon2id$a\nbob $argon2id$b\n");
  scratch.write("domains/other.example/aliases", "x: carol\ny: nobody\n");
  scratch.write("domains/not a domain/users", "");
  scratch.write("domains/other.example/dkim/bad selector.pem", ed25519_pem());
  scratch.write("domains/other.example/dkim/ec.pem", ec_pem());
  scratch.write("domains/other.example/dkim/text.pem", "this is no key");
  scratch.write("certs/mail.example.com/privkey.pem", ed25519_pem());
  scratch.write("certs/half/fullchain.pem", certificate_for(ec_pem()));
  scratch.write("certs/nonsense/fullchain.pem", "nonsense");
  scratch.write("certs/nonsense/privkey.pem", ec_pem());
  const ConfigFolder folder = load_config_folder({scratch.path(), {}});
  const std::string_view expected[] = {
      "domains/example.com/users:2: no colon",
      "domains/other.example/aliases:2: nobody@other.example is neither a user nor an alias",
      "domains/not a domain: the folder's name is not a domain",
      "bad selector.pem: the file's name is not a selector",
      "ec.pem: DKIM signs with RSA or Ed25519 keys",
      "text.pem: ",
      "certs/mail.example.com/privkey.pem: this is not the key of the certificate beside it",
      "certs/half/privkey.pem: No such file",
      "certs/nonsense/fullchain.pem: ",
  };
  for (const std::string_view part : expected)
    EXPECT_TRUE(any_contains(folder.problems, part)) << part;
  EXPECT_EQ(folder.problems.size(), std::size(expected));
  EXPECT_EQ(folder.directory.user_count(), 2u);
  EXPECT_TRUE(folder.directory.is_own_domain("other.example"));
}

TEST(ConfigFolder, notices_secrets_that_others_can_open) {
  const ScratchFolder scratch;
  write_good_folder(scratch);
  for (const char* file : {"domains/example.com/users",
                           "domains/example.com/dkim/t1.pem",
                           "certs/mail.example.com/privkey.pem"}) {
    fs::permissions(scratch.path() / file, fs::perms(0644));
    EXPECT_TRUE(any_contains(load_config_folder({scratch.path(), {}}).notices,
                             std::string(file) + ": other users of this machine can open it"))
        << file;
  }
}

TEST(ConfigFolder, tells_a_folder_that_is_not_there_and_one_it_may_not_read) {
  const ScratchFolder scratch;
  const ConfigFolder none = load_config_folder({scratch.path() / "none", {}});
  ASSERT_EQ(none.problems.size(), 1u);
  EXPECT_TRUE(none.problems[0].ends_with("none: there is no such folder"));

  EXPECT_TRUE(load_config_folder({scratch.path(), {}}).problems.empty());

  write_good_folder(scratch);
  const fs::path users = users_file(scratch.path(), "example.com");
  fs::permissions(users, fs::perms(0));
  fs::permissions(scratch.path(), fs::perms(0755));
  const bool is_root = geteuid() == 0;
  if (is_root) ASSERT_EQ(seteuid(65534), 0);  // root may read anything
  const ConfigFolder denied = load_config_folder({scratch.path(), {}});
  if (is_root) ASSERT_EQ(seteuid(0), 0);
  EXPECT_TRUE(any_contains(denied.problems, "domains/example.com/users: "));
  EXPECT_TRUE(any_contains(denied.problems, "Permission denied"));
}

TEST(ConfigFolder, reads_internationalized_domains_once) {
  const ScratchFolder scratch;
  scratch.write("domains/bücher.example/users", "alice: $argon2id$a\n");
  const ConfigFolder folder = load_config_folder({scratch.path(), {}});
  EXPECT_EQ(folder.directory.domains(), std::vector<std::string>{"xn--bcher-kva.example"});
  scratch.write("domains/xn--bcher-kva.example/users", "alice: $argon2id$a\n");
  EXPECT_TRUE(any_contains(load_config_folder({scratch.path(), {}}).problems,
                           "another folder is xn--bcher-kva.example too"));
}

}  // namespace
}  // namespace tapal::files
