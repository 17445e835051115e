#include "values/crypto/password.h"

#include <array>
#include <optional>

#include <fmt/format.h>
#include <sodium.h>

#include "values/crypto/foreign_password.h"
#include "values/text/ascii.h"

namespace tapal::crypto {
namespace {

constexpr std::string_view prefix = "$argon2id$v=19$";

struct HashCost {
  unsigned long long memory_kib = 0;
  unsigned long long passes = 0;
};

// "m=19456,t=2,p=1" of a hash; nothing when the form is another.
std::optional<HashCost> cost_of(std::string_view hash) {
  if (hash.size() >= crypto_pwhash_STRBYTES || !hash.starts_with(prefix)) return {};
  const auto parts = text::split(hash.substr(prefix.size()), '$');
  const auto numbers = text::split(parts.front(), ',');
  if (parts.size() != 3 || numbers.size() != 3 || numbers[2] != "p=1") return {};
  if (!numbers[0].starts_with("m=") || !numbers[1].starts_with("t=")) return {};
  const auto memory = text::to_number<unsigned long long>(numbers[0].substr(2));
  const auto passes = text::to_number<unsigned long long>(numbers[1].substr(2));
  if (!memory || !passes) return {};
  return HashCost{*memory, *passes};
}

bool within_bounds(const HashCost& cost) {
  return cost.memory_kib >= 8 && cost.memory_kib <= password_memory_kib_max && cost.passes >= 1 &&
         cost.passes <= password_passes_max;
}

}  // namespace

Result<std::string> hash_password(std::string_view password, PasswordCost cost) {
  if (password.empty() || password.size() > password_bytes_max) {
    return fail(Code::invalid, fmt::format("a password has 1 to {} bytes", password_bytes_max));
  }
  if (!within_bounds({cost.memory_kib, cost.passes})) {
    return fail(Code::invalid, "a password cost out of bounds");
  }
  if (sodium_init() < 0) return fail(Code::internal, "libsodium does not start");
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str_alg(hash.data(),
                            password.data(),
                            password.size(),
                            cost.passes,
                            cost.memory_kib * 1024,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(Code::full, "not enough memory to hash a password");
  }
  return std::string(hash.data());
}

bool verify_password(const std::string& hash, std::string_view password) {
  if (password.size() > password_bytes_max) return false;
  if (is_foreign_hash(hash)) return verify_foreign_password(hash, password);
  const auto cost = cost_of(hash);
  if (!cost || !within_bounds(*cost)) return false;
  return sodium_init() >= 0 &&
         crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool is_password_hash(std::string_view hash) {
  if (is_foreign_hash(hash)) return foreign_hash_problem(hash).empty();
  const auto cost = cost_of(hash);
  return cost && within_bounds(*cost);
}

bool needs_rehash(const std::string& hash, PasswordCost cost) {
  const auto made_with = cost_of(hash);
  return !made_with || made_with->memory_kib != cost.memory_kib || made_with->passes != cost.passes;
}

}  // namespace tapal::crypto
