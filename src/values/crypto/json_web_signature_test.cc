#include "values/crypto/json_web_signature.h"

#include <gtest/gtest.h>

#include "values/crypto/test_keys.h"
#include "values/text/base64.h"

namespace tapal::crypto {
namespace {

std::string as_der_integer(std::string number) {
  number.erase(0, std::min(number.find_first_not_of('\0'), number.size() - 1));
  if ((number[0] & '\x80') != 0) number.insert(0, 1, '\0');
  return std::string{'\x02', static_cast<char>(number.size())} + number;
}

std::string as_der(const std::string& raw) {
  const auto both = as_der_integer(raw.substr(0, 32)) + as_der_integer(raw.substr(32));
  return std::string{'\x30', static_cast<char>(both.size())} + both;
}

TEST(JsonWebKey, spells_a_key_as_thumbprints_want_it) {
  const auto key = PrivateKey::from_pem(test_keys::ec_p256);
  const auto jwk = json_web_key(*key);
  ASSERT_TRUE(jwk);
  EXPECT_EQ(
      *jwk,
      R"({"crv":"P-256","kty":"EC","x":"EguGp91tHq_Buy_V1YIS4T-KR5Pre1E4psx4pgoqD3w","y":"-nN43TXcbM9DZw3KHt6H07WXIKeMrBd3Q-xqpSG75qg"})");
  EXPECT_EQ(json_web_key_thumbprint(*jwk), "Sp8GOcefBCU5veiY44ZH9S92ubqU3ycwUEb2rFYnkGA");
}

TEST(JsonWebKey, takes_no_other_kind_of_key) {
  for (const auto* pem : {test_keys::rsa_1024, test_keys::ed25519}) {
    const auto key = PrivateKey::from_pem(pem);
    EXPECT_EQ(json_web_key(*key).error().code, Code::invalid);
    EXPECT_EQ(sign_es256(*key, "x").error().code, Code::invalid);
  }
}

TEST(JsonWebSignature, of_es256_has_two_whole_numbers) {
  const auto key = PrivateKey::from_pem(test_keys::ec_p256);
  // Some of the numbers begin with zero bytes: each time other ones, as ECDSA is not repeatable.
  for (int i = 0; i < 600; ++i) {
    const auto input = std::to_string(i);
    const auto raw = sign_es256(*key, input);
    ASSERT_TRUE(raw);
    ASSERT_EQ(raw->size(), 64U);
    EXPECT_TRUE(key->public_key().verify(sha256(input), as_der(*raw)));
  }
}

TEST(JsonWebSignature, of_es256_covers_header_and_payload) {
  const auto key = PrivateKey::from_pem(test_keys::ec_p256);
  const auto jws = sign_json_es256(*key, R"({"alg":"ES256"})", "");
  ASSERT_TRUE(jws);
  const std::string before = R"({"protected":"eyJhbGciOiJFUzI1NiJ9","payload":"","signature":")";
  ASSERT_TRUE(jws->starts_with(before)) << *jws;
  const auto raw = text::from_base64_url(jws->substr(before.size(), 86));
  ASSERT_TRUE(raw);
  EXPECT_TRUE(key->public_key().verify(sha256("eyJhbGciOiJFUzI1NiJ9."), as_der(*raw)));
}

TEST(JsonWebSignature, of_hs256_is_that_of_rfc_7515_appendix_a_1) {
  const auto secret = text::from_base64_url(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(secret);
  EXPECT_EQ(
      sign_json_hs256(*secret,
                      "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
                      "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                      "\"http://example.com/is_root\":true}"),
      R"({"protected":"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",)"
      R"("payload":"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv)"
      R"(bS9pc19yb290Ijp0cnVlfQ","signature":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"})");
}

}  // namespace
}  // namespace tapal::crypto
