#include "values/crypto/scram_keys.h"

#include <array>

#include <gtest/gtest.h>

#include "values/text/base64.h"

namespace tapal::crypto {
namespace {

const std::string salt = "salty bytes";

TEST(ScramKeys, check_the_exchange_of_rfc_7677_section_3) {
  const std::string rfc_salt = text::from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  const ScramKeys keys = derive_scram_keys("pencil", rfc_salt, 4096);
  const std::string messages =
      "n=user,r=rOprNGfwEbeRWgbNEkqO,"
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  EXPECT_EQ(text::to_base64(bytes_of(hmac_sha256(bytes_of(keys.server_key), messages))),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  // The proof reveals the client key, whose hash is the stored key (RFC 5802 section 3).
  std::string client_key =
      text::from_base64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").value();
  const Digest mask = hmac_sha256(bytes_of(keys.stored_key), messages);
  for (std::size_t i = 0; i < mask.size(); ++i) {
    client_key[i] = static_cast<char>(client_key[i] ^ static_cast<char>(mask[i]));
  }
  EXPECT_EQ(sha256(client_key), keys.stored_key);
}

TEST(ScramKeys, read_back_what_they_print) {
  for (const std::uint32_t iterations : {4096U, 10'000U}) {
    const ScramKeys keys = derive_scram_keys("pässword", salt, iterations);
    EXPECT_TRUE(keys.text().starts_with("SCRAM-SHA-256$")) << keys.text();
    const auto again = ScramKeys::from_text(keys.text());
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(*again, keys);
  }
}

TEST(ScramKeys, read_the_form_that_others_write) {
  const auto keys = ScramKeys::from_text(
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
      "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  ASSERT_TRUE(keys) << keys.error().what;
  EXPECT_EQ(*keys, derive_scram_keys("pencil", keys->salt, 4096));
}

TEST(ScramKeys, raise_too_few_iterations) {
  EXPECT_EQ(derive_scram_keys("pencil", salt, 1).iterations, scram_iterations_min);
  EXPECT_EQ(derive_scram_keys("pencil", salt, 1), derive_scram_keys("pencil", salt));
}

TEST(ScramKeys, refuse_any_other_text) {
  const std::string key = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=";
  const std::array<std::string, 12> cases = {
      "",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1$4096:c2FsdA==$" + key + ":" + key,
      "SCRAM-SHA-256$4095:c2FsdA==$" + key + ":" + key,
      "SCRAM-SHA-256$1000001:c2FsdA==$" + key + ":" + key,
      "SCRAM-SHA-256$99999999999:c2FsdA==$" + key + ":" + key,
      "SCRAM-SHA-256$4096:$" + key + ":" + key,
      "SCRAM-SHA-256$4096:" + text::to_base64(std::string(65, 's')) + "$" + key + ":" + key,
      "SCRAM-SHA-256$4096:c2FsdA==$" + key,
      "SCRAM-SHA-256$4096:c2FsdA==$c2hvcnQ=:" + key,
      "SCRAM-SHA-256$4096:c2FsdA==$" + key + ":" + key + "$",
      "SCRAM-SHA-256$4096:not base64$" + key + ":" + key,
  };
  for (const std::string& text : cases) EXPECT_FALSE(ScramKeys::from_text(text)) << text;
}

}  // namespace
}  // namespace tapal::crypto
