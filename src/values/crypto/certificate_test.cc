#include "values/crypto/certificate.h"

#include <array>

#include <gtest/gtest.h>

#include "values/crypto/test_keys.h"
#include "values/text/base64.h"
#include "values/text/hex.h"

namespace tapal::crypto {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr Validity year_2027{sys_days(days(20'819)), sys_days(days(21'184))};

TEST(Certificate, says_what_it_was_made_of) {
  const std::vector<std::string> names = {
      "mail.example.com", "*.example.com", "xn--bcher-kva.example", "192.0.2.1", "2001:db8::1"};
  for (const char* pem : {test_keys::ec_p256, test_keys::ed25519, test_keys::rsa_1024}) {
    const auto key = PrivateKey::from_pem(pem);
    ASSERT_TRUE(key);
    const auto certificate = make_self_signed(names, *key, year_2027);
    ASSERT_TRUE(certificate) << certificate.error().what;
    const auto facts = read_certificate(*certificate);
    ASSERT_TRUE(facts) << facts.error().what;
    EXPECT_EQ(facts->names, names);
    EXPECT_EQ(facts->subject, "CN=mail.example.com");
    EXPECT_EQ(facts->issuer, facts->subject);
    EXPECT_EQ(facts->validity.not_before, year_2027.not_before);
    EXPECT_EQ(facts->validity.not_after, year_2027.not_after);
    EXPECT_TRUE(facts->self_signed);
    EXPECT_EQ(facts->key_sha256, sha256(key->public_key_der()));
    EXPECT_TRUE(certificate_fits(*certificate, *key));
    EXPECT_FALSE(certificate_fits(*certificate, *PrivateKey::generate_ec_p256()));
  }
}

TEST(Certificate, differs_from_the_one_before) {
  const auto key = PrivateKey::from_pem(test_keys::ed25519);
  const auto one = read_certificate(*make_self_signed({"a.example"}, *key, year_2027));
  const auto two = read_certificate(*make_self_signed({"a.example"}, *key, year_2027));
  EXPECT_NE(one->sha256, two->sha256);
}

TEST(Certificate, with_a_first_name_too_long_for_a_common_name_has_none) {
  const auto key = PrivateKey::generate_ec_p256();
  const std::string name = std::string(40, 'a') + "." + std::string(40, 'b') + ".example";
  const auto facts = read_certificate(*make_self_signed({name}, *key, year_2027));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->names, std::vector{name});
  EXPECT_EQ(facts->subject, "");
}

TEST(Certificate, takes_no_names_that_are_none) {
  const auto key = PrivateKey::generate_ec_p256();
  const std::array<std::vector<std::string>, 7> cases = {{
      {},
      {""},
      {"a.example,DNS:evil.example"},
      {"bücher.example"},
      {"a b.example"},
      {"*.*.example"},
      std::vector<std::string>(certificate_names_max + 1, "a.example"),
  }};
  for (const auto& names : cases) {
    EXPECT_FALSE(make_self_signed(names, *key, year_2027)) << (names.empty() ? "" : names.front());
  }
  EXPECT_FALSE(make_self_signed({"a.example"}, *key, {year_2027.not_after, year_2027.not_before}));
}

TEST(Certificate, that_cannot_be_read_says_why) {
  EXPECT_TRUE(read_certificate("").error().what.contains("not a certificate"));
  EXPECT_TRUE(read_certificate(test_keys::ed25519).error().what.contains("not a certificate"));
  EXPECT_TRUE(read_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                  .error()
                  .what.contains("damaged"));
  EXPECT_TRUE(
      read_certificate(std::string(pem_bytes_max + 1, 'x')).error().what.contains("too many"));
}

TEST(Certificate, covers_its_names_and_one_label_where_it_has_a_star) {
  CertificateFacts facts;
  facts.names = {"mail.example.com", "*.example.org"};
  for (const std::string_view host : {"mail.example.com", "a.example.org", "b.example.org"})
    EXPECT_TRUE(covers(facts, host)) << host;
  for (const std::string_view host :
       {"example.com", "x.mail.example.com", "example.org", "a.b.example.org", ".example.org", ""})
    EXPECT_FALSE(covers(facts, host)) << host;
}

TEST(Certificate, that_answers_a_challenge_has_the_proof_in_a_critical_extension) {
  const auto key = PrivateKey::generate_ec_p256();
  const auto proof = sha256("token.thumbprint");
  const auto pem = make_challenge_certificate("mail.example.com", proof, *key, year_2027);
  ASSERT_TRUE(pem) << pem.error().what;
  EXPECT_EQ(read_certificate(*pem)->names, std::vector<std::string>{"mail.example.com"});
  const auto der = text::from_base64_lines(
      pem->substr(28, pem->size() - 28 - std::string_view("-----END CERTIFICATE-----\n").size()));
  ASSERT_TRUE(der);
  // SEQUENCE { OID 1.3.6.1.5.5.7.1.31, TRUE, OCTET STRING { OCTET STRING { the hash } } }
  const auto wanted =
      *text::from_hex("303106082b0601050507011f0101ff04220420") + std::string(bytes_of(proof));
  EXPECT_TRUE(der->contains(wanted));
}

TEST(Certificate, tells_its_serial_as_der_has_it) {
  const auto facts = read_certificate(
      *make_self_signed({"a.example"}, *PrivateKey::generate_ec_p256(), year_2027));
  EXPECT_EQ(facts->serial.size(), 17U);
  EXPECT_EQ(facts->serial[0], '\x01');
  EXPECT_EQ(facts->authority_key_id, "");
}

TEST(CertificateChain, is_read_whole_or_not_at_all) {
  const auto key = PrivateKey::generate_ec_p256();
  const auto a = *make_self_signed({"a.example"}, *key, year_2027);
  const auto b = *make_self_signed({"b.example"}, *key, year_2027);
  EXPECT_EQ(read_chain(a)->size(), 1U);
  EXPECT_EQ(read_chain(a + a)->size(), 2U);  // it is its own issuer
  std::string many;
  for (int i = 0; i < 11; ++i) many += a;
  EXPECT_FALSE(read_chain(many));
  EXPECT_FALSE(read_chain(a + b));
  EXPECT_FALSE(read_chain(""));
  EXPECT_FALSE(read_chain(a + a.substr(0, a.size() - 40)));
  EXPECT_FALSE(read_chain(a + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace tapal::crypto
