#include "values/crypto/foreign_password.h"

#include <string>

#include <gtest/gtest.h>

#include "values/crypto/password.h"
#include "values/text/hex.h"

namespace tapal::crypto {
namespace {

struct Known {
  std::string_view name, hash, password;
};
const Known known[] = {
    {"scrypt (Python's hashlib)",
     "$scrypt$ln=4,r=1,p=1$CgBzYWx0$PqyDp8NjFI1k4nDB9Zz9/DllKJ4w2UJvvaN/d5rHgQY",
     "correct horse"},
    {"bcrypt (a test vector of its author)",
     "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
     "U*U"},
    {"bcrypt, as Dovecot writes it",
     "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
     "correct horse"},
    {"SHA-256-crypt (openssl passwd)",
     "$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/",
     "correct horse"},
    {"SHA-512-crypt with its rounds",
     "$6$rounds=1000$saltsalt$"
     "4GMtaIz3E1AdDi2SmCokEW0ehi.HdxNDcL3fGE1XXuzvo6kbx7UOloZKONqEk5H3JrQA4NOfU8BmqFPrpGqwA1",
     "correct horse"},
};

TEST(ForeignPassword, verifies_what_others_made_and_nothing_else) {
  for (const auto& [name, hash, password] : known) {
    const std::string text(hash);
    const std::string right(password);
    EXPECT_EQ(foreign_hash_problem(hash), "") << name;
    EXPECT_TRUE(verify_foreign_password(text, right)) << name;
    EXPECT_TRUE(verify_password(text, right)) << name;
    EXPECT_TRUE(needs_rehash(text)) << name;
    EXPECT_FALSE(verify_foreign_password(text, right + "x")) << name;
    EXPECT_FALSE(verify_foreign_password(text, "")) << name;
    std::string with_more = right;
    with_more += std::string("\0x", 2);
    EXPECT_FALSE(verify_foreign_password(text, with_more)) << name << ": cut at the NUL";
    std::string other = text;
    other.back() = other.back() == 'A' ? 'E' : 'A';
    EXPECT_FALSE(verify_foreign_password(other, right)) << name;
  }
}

// RFC 7914 section 12, the second vector.
TEST(ForeignPassword, scrypt_is_that_of_the_rfc) {
  const ScryptHash hash{10,
                        8,
                        16,
                        "NaCl",
                        *text::from_hex("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b"
                                        "3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360"
                                        "cbdfa2cc0640")};
  EXPECT_TRUE(verify_foreign_password(hash.text(), "password"));
  EXPECT_FALSE(verify_foreign_password(hash.text(), "Password"));
  const auto again = ScryptHash::from_text(hash.text());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), hash.text());
}

TEST(ForeignPassword, a_hash_that_is_none_or_asks_too_much_is_refused_with_a_reason) {
  const std::string key43(43, 'A');
  const struct {
    std::string hash, problem;
  } cases[] = {
      {"$1$salt$abcdefghijklmnopqrstuv", "is of a kind that is not known here"},
      {"plain", "is of a kind that is not known here"},
      {"$scrypt$", "is no scrypt hash"},
      {"$scrypt$ln=14,r=8,p=1$YWJj", "is no scrypt hash"},
      {"$scrypt$ln=0,r=8,p=1$YWJj$" + key43, "is no scrypt hash"},
      {"$scrypt$ln=14,r=8,p=1$YWJj$YWJj", "has a key that is not 16 to 128 bytes long"},
      {"$scrypt$ln=20,r=8,p=1$YWJj$" + key43, "asks for more than 256 MiB"},  // 1 GiB
      {"$scrypt$ln=63,r=1,p=1$YWJj$" + key43, "asks for more than 256 MiB"},
      {"$scrypt$ln=14,r=4294967295,p=4294967295$YWJj$" + key43, "asks for more than 256 MiB"},
      {"$2y$16$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
       "asks for more than 2^15 rounds"},
      {"$2y$04$tooshort", "is no whole bcrypt hash"},
      {"$2y$xx$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e", "is no whole bcrypt hash"},
      {"$5$salt$short", "is no whole SHA-crypt hash"},
      {"$5$salt:odd$" + key43, "is no whole SHA-crypt hash"},
      {"$5$rounds=999999999$salt$" + key43, "asks for more than 1000000 rounds"},
      {"$6$", "is no whole SHA-crypt hash"},
  };
  for (const auto& [hash, problem] : cases) {
    EXPECT_EQ(foreign_hash_problem(hash), problem) << hash;
    EXPECT_FALSE(verify_foreign_password(hash, "")) << hash;
    EXPECT_FALSE(verify_foreign_password(hash, "password")) << hash;
  }
}

}  // namespace
}  // namespace tapal::crypto
