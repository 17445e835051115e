#include "rules/migrate/chasquid.h"

#include <gtest/gtest.h>

#include "rules/migrate/test_tree.h"
#include "values/crypto/certificate.h"
#include "values/crypto/password.h"

namespace tapal::migrate {
namespace {

// As chasquid-util 1.11 writes it; the passwords are "secret1" and "secret2".
constexpr std::string_view users = R"(users: {
  key: "ann"
  value: {
    scrypt: {
      logN: 14
      r: 8
      p: 1
      keyLen: 32
      salt: "\n\x00\x18\x16\x9fOm\xfd\xd0\x02j\r_\xfb4\x0b"
      encrypted: "\rN\xbbKn0\xac\xa8\xd1B\x1a\x17\xbcp*\xberx\xd3<\xf49)\xc6s\xe8\x19\x8d\\\x01\x91B"
    }
  }
}
users: {
  key: "dear"
  value: { scrypt: { logN: 30 r: 8 p: 1 keyLen: 32 salt: "abc" encrypted: "0123456789abcdef" } }
}
users: { key: "plain" value: { plain: { password: "open" } } }
users: { key: "mute" value: { denied: {} } }
users: { key: "new" value: { argon9: {} } }
)";

TEST(Chasquid, gives_domains_users_aliases_keys_and_settings) {
  const TestTree tree({
      {"chasquid.conf",
       "hostname: \"mx.example.com\"\nmax_data_size_mb: 20\nsmtp_address: \"systemd\"\n"
       "submission_address: \":587\"\nsubmission_address: \"192.0.2.1:1587\"\n"
       "suffix_separators: \"+-\"\ndrop_characters: \"._\"\n"
       "mail_delivery_agent_bin: \"/usr/bin/procmail\"\ndovecot_auth: true\n"},
      {"domains/example.com/users", std::string(users)},
      {"domains/example.com/aliases",
       "# people\ninfo: ann, far@other.example\nrobot: | /bin/robot -x\n*: ann\nno colon\n"},
      {"domains/example.com/dkim:s1.pem", "KEY ONE"},
      {"domains/example.com/dkim_selector", "s2\n"},
      {"certs/example.com/dkim_privkey.pem", "KEY TWO"},
      {"domains/bücher.example/aliases", "x: y\n"},
      {"domains/no domain/users", ""},
      {"hooks/post-data", "#!/bin/sh"},
  });
  auto inventory = read_chasquid(tree);
  ASSERT_TRUE(inventory) << inventory.error().what;
  EXPECT_EQ(inventory->hostname, "mx.example.com");
  ASSERT_EQ(inventory->settings.size(), 2U);
  EXPECT_EQ(inventory->settings[0].value, "\"20MiB\"");
  EXPECT_EQ(inventory->settings[1].name, "listen.submission");
  EXPECT_EQ(inventory->settings[1].value, R"(["0.0.0.0:587", "[::]:587", "192.0.2.1:1587"])");
  EXPECT_EQ(inventory->settings[1].place, "chasquid.conf:5");

  ASSERT_EQ(inventory->domains.size(), 2U);
  EXPECT_NE(inventory->find("xn--bcher-kva.example"), nullptr);
  const auto& domain = *inventory->find("example.com");
  EXPECT_TRUE(domain.settings.ignore_dots);
  EXPECT_EQ(domain.settings.suffix_separators, "+-");
  ASSERT_EQ(domain.users.size(), 5U);
  EXPECT_EQ(domain.users[0].name, "ann");
  EXPECT_TRUE(crypto::verify_password(domain.users[0].password_hash, "secret1"));
  EXPECT_FALSE(crypto::verify_password(domain.users[0].password_hash, "secret2"));
  EXPECT_EQ(domain.users[1].password_hash, "");
  EXPECT_EQ(domain.users[2].clear_password, "open");
  EXPECT_EQ(aliases_of(domain),
            (std::vector<std::string>{
                "info -> ann, far@other.example", "robot -> | /bin/robot -x", "* -> ann"}));
  ASSERT_EQ(domain.keys.size(), 2U);
  EXPECT_EQ(domain.keys[0].selector, "s1");
  EXPECT_EQ(domain.keys[0].pem, "KEY ONE");
  EXPECT_EQ(domain.keys[1].selector, "s2");
  EXPECT_EQ(domain.keys[1].pem, "KEY TWO");

  const std::vector<std::string_view> told{
      "chasquid.conf:8: mail for users went to /usr/bin/procmail",
      "chasquid.conf:9: dovecot_auth: ",
      "chasquid.conf:7: of the characters \"._\"",
      "domains/example.com/users:14: dear has a password hash that asks for more than 256 MiB",
      "domains/example.com/users:19: mute may not log in there",
      "domains/example.com/users:20: new has a password of a kind that is not known here",
      "domains/example.com/aliases:5: ",
      "domains/no domain: the folder's name is not a domain",
      "hooks/post-data: hooks speak another language here",
  };
  const auto lines = left(*inventory);
  ASSERT_EQ(lines.size(), told.size());
  for (std::size_t i = 0; i < told.size(); ++i)
    EXPECT_TRUE(lines[i].starts_with(told[i])) << lines[i];
}

TEST(Chasquid, has_its_own_defaults_and_needs_its_settings_file) {
  const auto none = read_chasquid(TestTree({{"domains/a.example/users", ""}}));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, "chasquid.conf: there is no such file");
  const auto broken = read_chasquid(TestTree({{"chasquid.conf", "hostname: \"x"}}));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().what, "chasquid.conf:1: a string is not closed");

  auto least = read_chasquid(TestTree({{"chasquid.conf", ""}, {"domains/a.example/users", "x"}}));
  ASSERT_TRUE(least);
  EXPECT_EQ(least->hostname, "");
  EXPECT_TRUE(least->find("a.example")->settings.ignore_dots);
  EXPECT_EQ(least->find("a.example")->settings.suffix_separators, "+");
  ASSERT_EQ(least->left_behind.size(), 2U);
  EXPECT_TRUE(left(*least)[0].contains("mail for users went to maildrop"));
  EXPECT_TRUE(left(*least)[1].starts_with("domains/a.example/users: domains/a.example/users:1:"))
      << left(*least)[1];
}

TEST(Chasquid, hands_mailboxes_to_the_lmtp_server_that_has_them) {
  const auto target = [](std::string_view arguments) {
    std::string conf =
        "mail_delivery_agent_bin: \"/usr/bin/mda-lmtp\"\nmail_delivery_agent_args: [";
    const auto inventory =
        read_chasquid(TestTree({{"chasquid.conf", conf.append(arguments).append("]\n")}}));
    EXPECT_TRUE(inventory);
    EXPECT_EQ(inventory->left_behind.size(), inventory->mailbox_target.empty() ? 1U : 0U);
    return inventory->mailbox_target;
  };
  EXPECT_EQ(target(R"("--addr", "/run/dovecot/lmtp", "-f", "%from%", "-d", "%to%")"),
            ":lmtp: unix:/run/dovecot/lmtp");
  EXPECT_EQ(target(R"("-addr=127.0.0.1:24", "-d", "%to%")"), ":lmtp: 127.0.0.1:24");
  EXPECT_EQ(target(R"("--addr", "/run/dovecot/lmtp", "-d", "%to_user%")"), "");
  EXPECT_EQ(target(R"("--addr")"), "");
}

TEST(Chasquid, takes_certificates_that_fit_their_keys_and_are_of_an_authority) {
  const auto key = crypto::PrivateKey::generate_ec_p256();
  const WallTime now = WallTime(std::chrono::seconds(1'760'000'000));
  const auto own =
      crypto::make_self_signed({"mx.example.com"}, *key, {now, now + std::chrono::days(9)});
  ASSERT_TRUE(own);
  const auto inventory = read_chasquid(TestTree({
      {"chasquid.conf", ""},
      {"certs/README", "how to"},
      {"certs/own/fullchain.pem", *own},
      {"certs/own/privkey.pem", key->to_pem()},
      {"certs/half/fullchain.pem", *own},
      {"certs/junk/fullchain.pem", "junk"},
      {"certs/junk/privkey.pem", "junk"},
  }));
  ASSERT_TRUE(inventory);
  EXPECT_TRUE(inventory->certificates.empty());
  const auto lines = left(*inventory);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1], "certs/half/privkey.pem: certs/half/privkey.pem: there is no such file");
  EXPECT_TRUE(lines[2].starts_with("certs/junk/fullchain.pem: ")) << lines[2];
  EXPECT_TRUE(lines[3].starts_with("certs/own/fullchain.pem: the certificate is self-signed"));
}

}  // namespace
}  // namespace tapal::migrate
