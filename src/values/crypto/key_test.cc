#include "values/crypto/key.h"

#include <array>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "values/crypto/test_keys.h"
#include "values/text/base64.h"
#include "values/text/hex.h"

namespace tapal::crypto {
namespace {

PrivateKey key_of(const char* pem) { return std::move(PrivateKey::from_pem(pem)).value(); }

struct KeyCase {
  std::string name;
  std::string pem;
  KeyKind kind = KeyKind::rsa;
  int bits = 0;
};

TEST(PrivateKey, reads_every_kind_and_prints_it_as_pkcs8) {
  const std::array cases = {
      KeyCase{"RSA, PKCS#1", test_keys::rsa_1024, KeyKind::rsa, 1024},
      KeyCase{"Ed25519, PKCS#8", test_keys::ed25519, KeyKind::ed25519, 256},
      KeyCase{"EC P-256, SEC 1", test_keys::ec_p256, KeyKind::ec_p256, 256},
  };
  for (const KeyCase& c : cases) {
    const auto key = PrivateKey::from_pem(c.pem);
    ASSERT_TRUE(key) << c.name << ": " << key.error().what;
    EXPECT_EQ(key->kind(), c.kind) << c.name;
    EXPECT_EQ(key->bits(), c.bits) << c.name;
    EXPECT_TRUE(key->to_pem().starts_with("-----BEGIN PRIVATE KEY-----\n")) << c.name;
    const auto again = PrivateKey::from_pem(key->to_pem());
    ASSERT_TRUE(again) << c.name;
    EXPECT_EQ(again->public_key_der(), key->public_key_der()) << c.name;
  }
}

TEST(PrivateKey, says_what_is_wrong_with_a_file) {
  struct BadKey {
    std::string name;
    std::string pem;
    std::string_view what;  // part of the message
  };
  const std::string rsa = test_keys::rsa_1024;
  const std::array cases = {
      BadKey{"nothing", "", "not a private key"},
      BadKey{"text", "hello\n", "not a private key"},
      BadKey{"encrypted PKCS#8", test_keys::encrypted_pkcs8, "encrypted"},
      BadKey{"encrypted traditional", test_keys::encrypted_traditional, "encrypted"},
      BadKey{"too small", test_keys::rsa_512, "512 bits is too small"},
      BadKey{"another curve", test_keys::ec_p384, "unsupported kind"},
      BadKey{"another signature", test_keys::ed448, "unsupported kind"},
      BadKey{"cut", rsa.substr(0, rsa.size() / 2), "damaged"},
      BadKey{"public",
             "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
             "public key"},
      BadKey{"certificate", "-----BEGIN CERTIFICATE-----\n", "certificate"},
      BadKey{"OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "OpenSSH"},
      BadKey{"huge", std::string(pem_bytes_max + 1, '-'), "too many bytes"},
  };
  for (const BadKey& c : cases) {
    const auto key = PrivateKey::from_pem(c.pem);
    ASSERT_FALSE(key) << c.name;
    EXPECT_EQ(key.error().code, Code::invalid) << c.name;
    EXPECT_TRUE(key.error().what.contains(c.what)) << c.name << ": " << key.error().what;
  }
}

TEST(PrivateKey, signs_what_its_public_key_verifies) {
  const Digest digest = sha256("message");
  for (const char* pem : {test_keys::rsa_1024, test_keys::ed25519, test_keys::ec_p256}) {
    const PrivateKey key = key_of(pem);
    const auto signature = key.sign(digest);
    ASSERT_TRUE(signature) << signature.error().what;
    const auto other_half = PublicKey::from_der(key.public_key_der());
    ASSERT_TRUE(other_half);
    for (const PublicKey& half : {*other_half, key.public_key()}) {
      EXPECT_EQ(half.kind(), key.kind());
      EXPECT_EQ(half.bits(), key.bits());
      EXPECT_TRUE(half.verify(digest, *signature));
      EXPECT_FALSE(half.verify(sha256("Message"), *signature));
      EXPECT_FALSE(half.verify(digest, ""));
      EXPECT_FALSE(half.verify(digest, *signature + "x"));
      for (const std::size_t at : {std::size_t{0}, signature->size() / 2, signature->size() - 1}) {
        std::string changed = *signature;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_FALSE(half.verify(digest, changed)) << at;
      }
    }
  }
}

TEST(PrivateKey, signs_ed25519_as_rfc_8032_says) {
  // RFC 8032 section 7.1 test 1: this secret key belongs to this public key.
  const PrivateKey key = key_of(test_keys::ed25519);
  EXPECT_EQ(text::to_hex(key.ed25519_public_bytes()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(key_of(test_keys::ec_p256).ed25519_public_bytes(), "");
  // RFC 8032 section 7.1, test SHA(abc), signs a digest too, with SHA-512: not ours. The DKIM
  // example of RFC 8463 is checked with the signatures of messages.
}

TEST(PrivateKey, signs_on_several_threads_at_once) {
  const PrivateKey key = key_of(test_keys::rsa_1024);
  const PublicKey half = key.public_key();
  std::array<int, 4> good{};
  {
    std::vector<std::jthread> threads;
    for (int& count : good) {
      threads.emplace_back([&key, &half, &count] {
        for (int i = 0; i < 50; ++i) {
          const Digest digest = sha256(std::string(static_cast<std::size_t>(i), 'x'));
          const auto signature = key.sign(digest);
          count += signature && half.verify(digest, *signature) ? 1 : 0;
        }
      });
    }
  }
  for (const int count : good) EXPECT_EQ(count, 50);
}

TEST(PrivateKey, is_generated_within_the_bounds) {
  const auto rsa = PrivateKey::generate_rsa(1024);
  ASSERT_TRUE(rsa);
  EXPECT_EQ(rsa->bits(), 1024);
  EXPECT_EQ(PrivateKey::generate_ed25519()->kind(), KeyKind::ed25519);
  EXPECT_EQ(PrivateKey::generate_ec_p256()->kind(), KeyKind::ec_p256);
  EXPECT_NE(PrivateKey::generate_ed25519()->to_pem(), PrivateKey::generate_ed25519()->to_pem());
  for (const int bits : {-1, 0, 512, 1023, 8193}) EXPECT_FALSE(PrivateKey::generate_rsa(bits));
}

TEST(PublicKey, takes_a_bare_rsa_key_as_some_publish_it) {
  const PrivateKey key = key_of(test_keys::rsa_1024);
  const std::string der = key.public_key_der();
  // SubjectPublicKeyInfo of RSA: 22 bytes of header and algorithm, then the RSAPublicKey.
  const auto bare = PublicKey::from_der(std::string_view(der).substr(22));
  ASSERT_TRUE(bare) << bare.error().what;
  EXPECT_TRUE(bare->verify(sha256("x"), *key.sign(sha256("x"))));
}

TEST(PublicKey, refuses_what_is_no_key_of_ours) {
  const std::string der = key_of(test_keys::rsa_1024).public_key_der();
  EXPECT_FALSE(PublicKey::from_der(""));
  EXPECT_FALSE(PublicKey::from_der("MIGf"));
  EXPECT_FALSE(PublicKey::from_der(der + "x"));
  EXPECT_FALSE(PublicKey::from_der(der.substr(0, der.size() - 1)));
  EXPECT_FALSE(PublicKey::from_der(std::string(pem_bytes_max + 1, '\x30')));
  EXPECT_FALSE(PublicKey::from_ed25519(std::string(31, 'x')));
  // A 512-bit key: https://www.rfc-editor.org/rfc/rfc6376 allowed it, RFC 8301 does not.
  const auto small = PublicKey::from_der(
      text::from_base64("MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52T"
                        "b/mPfjC0QJTocVBq6Za/PlzfV+Py92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQ==")
          .value());
  ASSERT_FALSE(small);
  EXPECT_TRUE(small.error().what.contains("too small")) << small.error().what;
}

}  // namespace
}  // namespace tapal::crypto
