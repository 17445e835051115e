#include "values/crypto/password.h"

#include <array>

#include <gtest/gtest.h>

namespace tapal::crypto {
namespace {

constexpr PasswordCost cheap{.memory_kib = 8, .passes = 1};

TEST(Password, verifies_only_the_one_that_was_hashed) {
  const auto hash = hash_password("correct horse", cheap);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << *hash;
  EXPECT_TRUE(verify_password(*hash, "correct horse"));
  EXPECT_FALSE(verify_password(*hash, "correct horsf"));
  EXPECT_FALSE(verify_password(*hash, ""));
  EXPECT_FALSE(verify_password(*hash, std::string(password_bytes_max + 1, 'x')));
}

TEST(Password, gets_another_salt_every_time) {
  EXPECT_NE(*hash_password("same", cheap), *hash_password("same", cheap));
}

TEST(Password, is_hashed_at_the_default_cost_of_19_mib) {
  const auto hash = hash_password("correct horse");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
  EXPECT_TRUE(verify_password(*hash, "correct horse"));
  EXPECT_FALSE(needs_rehash(*hash));
  EXPECT_TRUE(needs_rehash(*hash, cheap));
}

TEST(Password, made_by_another_program_verifies) {
  // The reference implementation's example: echo -n password | argon2 somesalt -id -t 2 -m 16.
  const std::string hash =
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  EXPECT_TRUE(verify_password(hash, "password"));
  EXPECT_FALSE(verify_password(hash, "Password"));
}

TEST(Password, hash_of_a_strange_form_never_verifies) {
  const std::array<std::string, 10> hashes = {
      "",
      "plain",
      "$argon2id$",
      "$argon2id$v=19$",
      "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA",
      "$argon2id$v=19$m=8,t=1$c29tZXNhbHQ$AAAA",
      "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$AAAA",  // would take 95 GiB
      "$argon2id$v=19$m=8,t=99999999,p=1$c29tZXNhbHQ$AAAA",  // would take hours
      "$argon2id$v=19$m=8,t=1,p=1$$",
      "$argon2id$v=19$m=8,t=1,p=1$" + std::string(200, 'A'),
  };
  for (const std::string& hash : hashes) {
    EXPECT_FALSE(verify_password(hash, "password")) << hash;
    EXPECT_FALSE(verify_password(hash, "")) << hash;
  }
  EXPECT_TRUE(needs_rehash("plain"));
}

TEST(Password, and_cost_have_bounds) {
  EXPECT_FALSE(hash_password("", cheap));
  EXPECT_FALSE(hash_password(std::string(password_bytes_max + 1, 'x'), cheap));
  EXPECT_TRUE(hash_password(std::string(password_bytes_max, 'x'), cheap));
  EXPECT_FALSE(hash_password("x", {.memory_kib = 7, .passes = 1}));
  EXPECT_FALSE(hash_password("x", {.memory_kib = password_memory_kib_max + 1, .passes = 1}));
  EXPECT_FALSE(hash_password("x", {.memory_kib = 8, .passes = 0}));
  EXPECT_FALSE(hash_password("x", {.memory_kib = 8, .passes = password_passes_max + 1}));
}

}  // namespace
}  // namespace tapal::crypto
