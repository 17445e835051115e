#include "values/crypto/scram_keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::crypto {
namespace {

constexpr std::string_view mechanism = "SCRAM-SHA-256";

Result<Digest> digest_from_base64(std::string_view text) {
  TAPAL_TRY(const std::string bytes, text::from_base64(text));
  Digest digest{};
  if (bytes.size() != digest.size()) return fail(Code::invalid, "a SCRAM key has 32 bytes");
  std::ranges::transform(
      bytes, digest.begin(), [](char byte) { return static_cast<std::uint8_t>(byte); });
  return digest;
}

}  // namespace

std::string ScramKeys::text() const {
  return fmt::format("{}${}:{}${}:{}",
                     mechanism,
                     iterations,
                     text::to_base64(salt),
                     text::to_base64(bytes_of(stored_key)),
                     text::to_base64(bytes_of(server_key)));
}

Result<ScramKeys> ScramKeys::from_text(std::string_view text) {
  const auto parts = text::split(text, '$');
  const auto malformed = [] {
    return fail(Code::invalid, "SCRAM keys are SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey");
  };
  if (parts.size() != 3 || parts[0] != mechanism) return malformed();
  const auto how = text::split(parts[1], ':');
  const auto both = text::split(parts[2], ':');
  if (how.size() != 2 || both.size() != 2) return malformed();

  ScramKeys keys;
  const auto iterations = text::to_number<std::uint32_t>(how[0]);
  if (!iterations || *iterations < scram_iterations_min || *iterations > scram_iterations_max) {
    return fail(Code::invalid,
                fmt::format("SCRAM iterations are {} to {} (RFC 7677 section 4)",
                            scram_iterations_min,
                            scram_iterations_max));
  }
  keys.iterations = *iterations;
  TAPAL_TRY(keys.salt, text::from_base64(how[1]));
  if (keys.salt.empty() || keys.salt.size() > scram_salt_bytes_max) {
    return fail(Code::invalid, fmt::format("a SCRAM salt has 1 to {} bytes", scram_salt_bytes_max));
  }
  TAPAL_TRY(keys.stored_key, digest_from_base64(both[0]));
  TAPAL_TRY(keys.server_key, digest_from_base64(both[1]));
  return keys;
}

ScramKeys derive_scram_keys(std::string_view password,
                            std::string_view salt,
                            std::uint32_t iterations) {
  ScramKeys keys;
  keys.salt = salt;
  keys.iterations = std::clamp(iterations, scram_iterations_min, scram_iterations_max);
  const Digest salted = pbkdf2_hmac_sha256(password, salt, keys.iterations);
  keys.stored_key = sha256(bytes_of(hmac_sha256(bytes_of(salted), "Client Key")));
  keys.server_key = hmac_sha256(bytes_of(salted), "Server Key");
  return keys;
}

}  // namespace tapal::crypto
