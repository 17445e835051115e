// Bytes that whoever knows a passphrase can read, sealed by one who does not know it any more: a
// server seals its keys for a backup again and again, and keeps no passphrase for that.
//
// The passphrase gives, by Argon2id, a key pair and a key for a tag. The sealer keeps the public
// half and the tag's key: with them bytes can be sealed, but nothing sealed be read. The tag tells
// what the sealer made from what somebody else put in its place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::crypto {

struct SealCost {
  std::uint64_t memory_kib = 256UL * 1024;  // 8 to 1 GiB
  std::uint64_t passes = 3;                 // 1 to 64

  bool operator==(const SealCost&) const = default;
};

inline constexpr std::size_t passphrase_bytes_min = 12;
inline constexpr std::size_t sealed_bytes_max = 64UL * 1024 * 1024;

// Secret in so far as it lets others put things into the backup.
struct Sealer {
  std::array<std::uint8_t, 16> salt{};
  SealCost cost;
  std::array<std::uint8_t, 32> public_key{};
  std::array<std::uint8_t, 32> tag_key{};

  bool operator==(const Sealer&) const = default;

  // A file's whole text, and back.
  std::string text() const;
  static Result<Sealer> from_text(std::string_view text);
};

// Slow and memory-hungry on purpose: about a second. Code::invalid: a passphrase of under
// passphrase_bytes_min or over password_bytes_max bytes; Code::full: no memory.
Result<Sealer> make_sealer(std::string_view passphrase, const SealCost& cost = {});

// One line of text that tells how to open it, then X25519 with XSalsa20-Poly1305 (a sealed box of
// libsodium) and a tag of HMAC-SHA-256. Different each time. Code::invalid: too long.
Result<std::string> seal(const Sealer& sealer, std::string_view bytes);

struct Unsealed {
  std::string bytes;  // secret
  Sealer sealer;      // the one that made it
};
// Code::denied: the passphrase is another, or the bytes were changed; Code::invalid: not of this
// form, or it asks for more work than the bounds above.
Result<Unsealed> open_sealed(std::string_view passphrase, std::string_view sealed);

}  // namespace tapal::crypto
