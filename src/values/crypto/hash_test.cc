#include "values/crypto/hash.h"

#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "values/text/hex.h"

namespace tapal::crypto {
namespace {

std::string hex(const Digest& digest) { return text::to_hex(bytes_of(digest)); }
std::string bytes(std::string_view digits) { return text::from_hex(digits).value(); }

struct HashCase {
  std::string name;
  std::string text;
  std::string digest;
};

TEST(Sha256, gives_the_published_digests) {
  const std::array cases = {
      HashCase{"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      HashCase{"FIPS 180-4, one block",
               "abc",
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      HashCase{"FIPS 180-4, two blocks",
               "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      HashCase{"a million letters",
               std::string(1'000'000, 'a'),
               "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const HashCase& c : cases) EXPECT_EQ(hex(sha256(c.text)), c.digest) << c.name;
}

TEST(Sha256, does_not_care_where_the_text_is_cut) {
  const std::string text = "It was a bright cold day in April, and the clocks were striking.";
  Sha256 hash;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    hash.update(std::string_view(text).substr(0, cut));
    hash.update(std::string_view(text).substr(cut));
    EXPECT_EQ(hash.finish(), sha256(text)) << cut;
  }
}

TEST(Sha256, goes_on_in_a_copy_from_where_the_original_stands) {
  Sha256 hash;
  hash.update("one, ");
  Sha256 copy(hash);
  hash.update("two");
  copy.update("three");
  EXPECT_EQ(hash.finish(), sha256("one, two"));
  EXPECT_EQ(copy.finish(), sha256("one, three"));
}

TEST(Sha256, gives_the_same_on_every_thread) {
  std::array<Digest, 4> digests{};
  {
    std::vector<std::jthread> threads;
    for (Digest& digest : digests) {
      threads.emplace_back([&digest] {
        for (int i = 0; i < 1000; ++i) digest = sha256(bytes_of(digest));
      });
    }
  }
  for (const Digest& digest : digests) EXPECT_EQ(digest, digests.front());
}

struct HmacCase {
  std::string name;
  std::string key;
  std::string data;
  std::string mac;
};

TEST(HmacSha256, gives_the_values_of_rfc_4231_section_4) {
  const std::array cases = {
      HmacCase{"test case 1",
               std::string(20, '\x0b'),
               "Hi There",
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      HmacCase{"test case 2",
               "Jefe",
               "what do ya want for nothing?",
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      HmacCase{"test case 3",
               std::string(20, '\xaa'),
               std::string(50, '\xdd'),
               "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      HmacCase{"test case 4",
               bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"),
               std::string(50, '\xcd'),
               "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      HmacCase{"test case 6, a key longer than a block",
               std::string(131, '\xaa'),
               "Test Using Larger Than Block-Size Key - Hash Key First",
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      HmacCase{
          "test case 7",
          std::string(131, '\xaa'),
          "This is a test using a larger than block-size key and a larger than block-size data. "
          "The key needs to be hashed before being used by the HMAC algorithm.",
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const HmacCase& c : cases) {
    EXPECT_EQ(hex(hmac_sha256(c.key, c.data)), c.mac) << c.name;
    HmacSha256 in_pieces(c.key);
    in_pieces.update(std::string_view(c.data).substr(0, 3));
    in_pieces.update(std::string_view(c.data).substr(3));
    EXPECT_EQ(hex(in_pieces.finish()), c.mac) << c.name;
  }
}

struct DerivationCase {
  std::string password;
  std::string salt;
  std::uint32_t iterations = 1;
  std::string key;  // its first 32 bytes
};

TEST(HmacSha512, matches_rfc_4231_section_4_2) {
  EXPECT_EQ(
      text::to_hex(hmac_sha512(std::string(20, '\x0b'), "Hi There")),
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3"
      "f4e4be9d914eeb61f1702e696c203a126854");
}

TEST(Pbkdf2HmacSha256, gives_the_published_keys) {
  const std::array cases = {
      DerivationCase{"passwd",  // RFC 7914 section 11
                     "salt",
                     1,
                     "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
      DerivationCase{"Password",
                     "NaCl",
                     80'000,
                     "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"},
      DerivationCase{"password",  // the inputs of RFC 6070 with SHA-256
                     "salt",
                     2,
                     "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"},
      DerivationCase{"password",
                     "salt",
                     4096,
                     "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"},
  };
  for (const DerivationCase& c : cases) {
    EXPECT_EQ(hex(pbkdf2_hmac_sha256(c.password, c.salt, c.iterations)), c.key)
        << c.password << ' ' << c.iterations;
  }
}

TEST(Pbkdf2HmacSha256, refuses_iterations_out_of_bounds) {
  EXPECT_THROW(pbkdf2_hmac_sha256("p", "s", 0), std::invalid_argument);
  EXPECT_THROW(pbkdf2_hmac_sha256("p", "s", pbkdf2_iterations_max + 1), std::invalid_argument);
}

TEST(ConstantTimeEqual, compares_like_the_ordinary_operator) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("secret", "secret"));
  EXPECT_FALSE(constant_time_equal("secret", "secreT"));
  EXPECT_FALSE(constant_time_equal("secret", "secret "));
  EXPECT_TRUE(constant_time_equal(sha256("a"), sha256("a")));
  EXPECT_FALSE(constant_time_equal(sha256("a"), sha256("b")));
}

TEST(Wipe, leaves_an_empty_text) {
  std::string secret(100, 'x');
  wipe(secret);
  EXPECT_TRUE(secret.empty());
  wipe(secret);
  EXPECT_TRUE(secret.empty());
}

TEST(RandomBytes, has_the_size_asked_for_and_never_repeats) {
  EXPECT_EQ(random_bytes(0), "");
  EXPECT_EQ(random_bytes(24).size(), 24U);
  EXPECT_NE(random_bytes(24), random_bytes(24));
}

}  // namespace
}  // namespace tapal::crypto
