// What a server keeps to check SCRAM-SHA-256 without knowing the password (RFC 5802 section 3,
// RFC 7677).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "values/crypto/hash.h"

namespace tapal::crypto {

inline constexpr std::uint32_t scram_iterations_min = 4096;  // RFC 7677 section 4
inline constexpr std::uint32_t scram_iterations_max = 1'000'000;
inline constexpr std::size_t scram_salt_bytes_max = 64;

struct ScramKeys {
  std::string salt;  // bytes, 1 to scram_salt_bytes_max
  std::uint32_t iterations = scram_iterations_min;
  Digest stored_key{};
  Digest server_key{};

  bool operator==(const ScramKeys&) const = default;

  // "SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>", the three in base64: the form that
  // PostgreSQL and others keep (RFC 5803 section 3).
  std::string text() const;
  static Result<ScramKeys> from_text(std::string_view text);
};

// The password as SASLprep or OpaqueString left it. Iterations below the least are raised to it,
// above the most lowered. 1.6 ms at 4096.
ScramKeys derive_scram_keys(std::string_view password,
                            std::string_view salt,
                            std::uint32_t iterations = scram_iterations_min);

}  // namespace tapal::crypto
