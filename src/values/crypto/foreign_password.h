// Password hashes that other mail servers made and users bring along. They are checked as they are
// and never made here; the first login replaces them with our own (crypto::hash_password()).
//   $scrypt$ln=14,r=8,p=1$SALT$KEY        chasquid's, both in base64 without padding
//   $2a$10$..., $2b$..., $2y$...          bcrypt
//   $5$SALT$KEY, $6$rounds=N$SALT$KEY     SHA-256-crypt, SHA-512-crypt
// Each may take up to a second of a core: call on the worker pool.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::crypto {

// What a hash may ask for; one that asks for more is refused when it is read.
inline constexpr std::uint64_t scrypt_bytes_max = 256ULL * 1024 * 1024;  // 128 * N * r * p
inline constexpr unsigned bcrypt_cost_max = 15;
inline constexpr std::uint64_t sha_crypt_rounds_max = 1'000'000;

// By its first characters alone.
bool is_foreign_hash(std::string_view hash);

// Why it cannot be checked: its form, or what it would cost. Empty: it can. Never shows the hash.
std::string foreign_hash_problem(std::string_view hash);

// False too where there is a problem as above.
bool verify_foreign_password(const std::string& hash, std::string_view password);

struct ScryptHash {
  unsigned log2_n = 0;
  std::uint32_t r = 0;
  std::uint32_t p = 0;
  std::string salt;  // bytes
  std::string key;   // bytes

  std::string text() const;
  static Result<ScryptHash> from_text(std::string_view text);
};

}  // namespace tapal::crypto
