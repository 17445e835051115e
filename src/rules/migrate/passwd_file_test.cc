#include "rules/migrate/passwd_file.h"

#include <gtest/gtest.h>

#include "rules/migrate/test_tree.h"
#include "values/crypto/password.h"

namespace tapal::migrate {
namespace {

TEST(PasswdFile, takes_what_can_be_checked_and_tells_the_rest_by_name) {
  Inventory inventory;
  inventory.add({.name = "example.com"});
  add_passwd_file(
      {"# people\n"
       "ann@example.com:{BLF-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW:1::"
       "\n"
       "bob:$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/\n"
       "carl:{ARGON2ID}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8A"
       "rZWb2GRPPc\n"
       "dan:{plain}open:1:1\n"
       "eve:{SSHA512}c2VjcmV0:1:1\n"
       "fay:{CRYPT}$1$salt$secret\n"
       "gus:\n"
       "hal@far.example:{PLAIN}x\n"
       "no user\n",
       "users",
       "example.com"},
      inventory);
  const auto& users = inventory.find("example.com")->users;
  ASSERT_EQ(users.size(), 7U);
  EXPECT_TRUE(crypto::verify_password(users[0].password_hash, "U*U"));
  EXPECT_TRUE(crypto::verify_password(users[1].password_hash, "correct horse"));
  EXPECT_TRUE(crypto::verify_password(users[2].password_hash, "password"));
  EXPECT_EQ(users[3].clear_password, "open");
  for (std::size_t i = 3; i < users.size(); ++i) EXPECT_EQ(users[i].password_hash, "");
  EXPECT_EQ(left(inventory),
            (std::vector<std::string>{
                "users:6: eve@example.com has a password of the scheme SSHA512, which is not known "
                "here: give a new one with `tapal user add eve@example.com`",
                "users:7: fay@example.com has a password hash of a kind that is not known here: "
                "give a new one with `tapal user add fay@example.com`",
                "users:8: gus@example.com has no password: give a new one with `tapal user add "
                "gus@example.com`",
                "users:9: hal@far.example: far.example is no domain of that server's mail",
                "users:10: this is no user and password"}));
}

}  // namespace
}  // namespace tapal::migrate
