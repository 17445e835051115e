// SHA-256 and what is built on it. Cheap enough for every message: the algorithm is fetched once
// and each thread keeps a digest context.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tapal::crypto {

using Digest = std::array<std::uint8_t, 32>;  // of SHA-256

inline constexpr std::uint32_t pbkdf2_iterations_max = 10'000'000;

std::string_view bytes_of(const Digest& digest);  // borrowed; for update(), base64 and the like

// A hash over bytes that come in pieces. One thread at a time. A copy goes on from where the
// original stands.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256& other);
  Sha256& operator=(const Sha256&) = delete;
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view bytes);
  Digest finish();  // and begins anew

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);
std::string hmac_sha512(std::string_view key, std::string_view bytes);  // 64 bytes

// The same over bytes that come in pieces (RFC 2104 section 2). One thread at a time; once.
class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  void update(std::string_view bytes) { inner_.update(bytes); }
  Digest finish();

 private:
  Sha256 inner_;
  Sha256 outer_;
};

// PBKDF2 with HMAC-SHA-256, 32 bytes (RFC 8018 section 5.2): Hi() of RFC 5802. About 0.4 us an
// iteration. `iterations` is 1 to pbkdf2_iterations_max.
Digest pbkdf2_hmac_sha256(std::string_view password,
                          std::string_view salt,
                          std::uint32_t iterations);

// Takes the same time wherever the texts differ; their lengths are no secret.
bool constant_time_equal(std::string_view a, std::string_view b);
bool constant_time_equal(const Digest& a, const Digest& b);

// Overwrites the bytes in a way no optimizer removes, then empties the text.
void wipe(std::string& secret);

// From the library's own generator. For salts and keys; what tests must repeat takes its
// randomness from ports/random.h instead.
std::string random_bytes(std::size_t count);

}  // namespace tapal::crypto
