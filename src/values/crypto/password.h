// Password hashes: Argon2id in the text form "$argon2id$v=19$m=...,t=...,p=1$salt$hash". Slow and
// memory-hungry on purpose: 20 ms and 19 MiB each by default, so call it on the worker pool.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::crypto {

struct PasswordCost {
  std::size_t memory_kib = 19 * 1024;  // 8 to password_memory_kib_max
  unsigned passes = 2;                 // 1 to password_passes_max

  bool operator==(const PasswordCost&) const = default;
};

inline constexpr std::size_t password_bytes_max = 1024;
inline constexpr std::size_t password_memory_kib_max = 1024 * 1024;
inline constexpr unsigned password_passes_max = 64;

// Code::invalid: empty or longer than password_bytes_max, or a cost out of bounds; Code::full: no
// memory.
Result<std::string> hash_password(std::string_view password, PasswordCost cost = {});

// Of our own form, or of another server's (values/crypto/foreign_password.h). False too when the
// hash is neither or asks for more than the bounds.
bool verify_password(const std::string& hash, std::string_view password);

// Whether the hash is one that verify_password() can check.
bool is_password_hash(std::string_view hash);

// Whether the hash was made at another cost (or is no hash of this form at all).
bool needs_rehash(const std::string& hash, PasswordCost cost = {});

}  // namespace tapal::crypto
