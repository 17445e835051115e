#include "values/crypto/hash.h"

#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "values/crypto/c_library.h"

namespace tapal::crypto {
namespace {

// The library fails here only when it is out of memory or not built with SHA-256 at all.
void must(bool worked) {
  if (!worked) throw std::runtime_error("libcrypto cannot compute SHA-256");
}

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  must(algorithm != nullptr);
  return algorithm;
}

struct Context {
  Context() : handle(EVP_MD_CTX_new()) { must(handle != nullptr); }
  ~Context() { EVP_MD_CTX_free(handle); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void begin() const { must(EVP_DigestInit_ex2(handle, sha256_algorithm(), nullptr) == 1); }
  void copy(const Context& other) const { must(EVP_MD_CTX_copy_ex(handle, other.handle) == 1); }
  void update(std::string_view bytes) const {
    must(EVP_DigestUpdate(handle, bytes.data(), bytes.size()) == 1);
  }
  Digest finish() const {
    Digest digest{};
    must(EVP_DigestFinal_ex(handle, digest.data(), nullptr) == 1);
    return digest;
  }

  EVP_MD_CTX* handle;
};

}  // namespace

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

namespace {

// The two blocks a key becomes (RFC 2104 section 2).
class HmacPads {
 public:
  explicit HmacPads(std::string_view key) {
    Digest short_key{};
    if (key.size() > block_bytes) {
      short_key = sha256(key);
      key = bytes_of(short_key);
    }
    for (std::size_t i = 0; i < block_bytes; ++i) {
      const char byte = i < key.size() ? key[i] : '\0';
      inner_[i] = static_cast<char>(byte ^ 0x36);
      outer_[i] = static_cast<char>(byte ^ 0x5c);
    }
    sodium_memzero(short_key.data(), short_key.size());
  }
  ~HmacPads() {
    sodium_memzero(inner_.data(), inner_.size());
    sodium_memzero(outer_.data(), outer_.size());
  }
  HmacPads(const HmacPads&) = delete;
  HmacPads& operator=(const HmacPads&) = delete;

  std::string_view inner() const { return {inner_.data(), inner_.size()}; }
  std::string_view outer() const { return {outer_.data(), outer_.size()}; }

 private:
  static constexpr std::size_t block_bytes = 64;
  std::array<char, block_bytes> inner_{};
  std::array<char, block_bytes> outer_{};
};

}  // namespace

struct Sha256::State {
  Context context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { state_->context.begin(); }
Sha256::Sha256(const Sha256& other) : state_(std::make_unique<State>()) {
  state_->context.copy(other.state_->context);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) { state_->context.update(bytes); }

Digest Sha256::finish() {
  const Digest digest = state_->context.finish();
  state_->context.begin();
  return digest;
}

Digest sha256(std::string_view bytes) {
  thread_local const Context context;
  context.begin();
  context.update(bytes);
  return context.finish();
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  // From two hashes (RFC 2104 section 2): HMAC() would fetch its algorithms anew at every call.
  thread_local const Context context;
  const HmacPads pads(key);
  context.begin();
  context.update(pads.inner());
  context.update(bytes);
  const Digest middle = context.finish();
  context.begin();
  context.update(pads.outer());
  context.update(bytes_of(middle));
  return context.finish();
}

HmacSha256::HmacSha256(std::string_view key) {
  const HmacPads pads(key);
  inner_.update(pads.inner());
  outer_.update(pads.outer());
}

Digest HmacSha256::finish() {
  const Digest middle = inner_.finish();
  outer_.update(bytes_of(middle));
  return outer_.finish();
}

std::string hmac_sha512(std::string_view key, std::string_view bytes) {
  std::string digest(64, '\0');
  unsigned size = 0;
  must(HMAC(EVP_sha512(),
            key.data(),
            int_size(key),
            unsigned_bytes(bytes),
            bytes.size(),
            reinterpret_cast<unsigned char*>(digest.data()),
            &size) != nullptr);
  must(size == digest.size());
  return digest;
}

Digest pbkdf2_hmac_sha256(std::string_view password,
                          std::string_view salt,
                          std::uint32_t iterations) {
  if (iterations == 0 || iterations > pbkdf2_iterations_max) {
    throw std::invalid_argument("PBKDF2 iterations out of bounds");
  }
  Digest key{};
  const char* characters = password.data();
  must(PKCS5_PBKDF2_HMAC(characters,
                         int_size(password),
                         unsigned_bytes(salt),
                         int_size(salt),
                         static_cast<int>(iterations),
                         sha256_algorithm(),
                         static_cast<int>(key.size()),
                         key.data()) == 1);
  return key;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool constant_time_equal(const Digest& a, const Digest& b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string& secret) {
  secret.resize(secret.capacity());  // what an earlier, longer value left behind goes too
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

std::string random_bytes(std::size_t count) {
  must(sodium_init() >= 0);
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace tapal::crypto
