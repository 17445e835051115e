#include "values/crypto/foreign_password.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <crypt.h>
#include <fmt/format.h>
#include <sodium.h>

#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::crypto {
namespace {

constexpr std::string_view scrypt_prefix = "$scrypt$";
constexpr std::size_t scrypt_part_bytes_max = 128;  // salt, key
constexpr std::size_t scrypt_key_bytes_min = 16;

std::string without_padding(std::string base64) {
  base64.erase(base64.find_last_not_of('=') + 1);
  return base64;
}

Result<std::string> from_unpadded(std::string_view text) {
  std::string padded(text);
  padded.append((4 - padded.size() % 4) % 4, '=');
  return text::from_base64(padded);
}

// "ln=14" -> 14.
std::optional<std::uint32_t> number_of(std::string_view text, std::string_view name) {
  if (!text.starts_with(name)) return {};
  return text::to_number<std::uint32_t>(text.substr(name.size()));
}

std::string scrypt_problem(const ScryptHash& hash) {
  constexpr unsigned log2_n_max = 30;  // so that the product below fits
  auto too_dear = fmt::format("asks for more than {} MiB", scrypt_bytes_max >> 20U);
  if (hash.log2_n < 1 || hash.r < 1 || hash.p < 1) return "is no scrypt hash";
  if (hash.log2_n > log2_n_max || hash.r > scrypt_bytes_max || hash.p > scrypt_bytes_max ||
      std::uint64_t{hash.r} * hash.p > (scrypt_bytes_max >> 7U) >> hash.log2_n)
    return too_dear;
  if (hash.key.size() < scrypt_key_bytes_min || hash.key.size() > scrypt_part_bytes_max)
    return fmt::format(
        "has a key that is not {} to {} bytes long", scrypt_key_bytes_min, scrypt_part_bytes_max);
  if (hash.salt.size() > scrypt_part_bytes_max) return "has a salt that is too long";
  return {};
}

bool is_crypt_text(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return text::is_alnum(c) || c == '.' || c == '/'; });
}

// $2y$10$ and 53 characters of salt and key.
std::string bcrypt_problem(std::string_view hash) {
  constexpr std::size_t head_bytes = 7;
  constexpr std::size_t hash_bytes = 60;
  if (hash.size() != hash_bytes || hash[6] != '$' || !is_crypt_text(hash.substr(head_bytes)))
    return "is no whole bcrypt hash";
  const auto cost = text::to_number<unsigned>(hash.substr(4, 2));
  if (!cost) return "is no whole bcrypt hash";
  if (*cost > bcrypt_cost_max)
    return fmt::format("asks for more than 2^{} rounds", bcrypt_cost_max);
  return {};
}

// $6$rounds=5000$salt$key, the rounds may be missing.
std::string sha_crypt_problem(std::string_view hash) {
  constexpr std::string_view rounds_name = "rounds=";
  constexpr std::size_t salt_bytes_max = 16;
  const std::size_t key_bytes = hash.starts_with("$5$") ? 43 : 86;
  auto parts = text::split(hash.substr(3), '$');
  if (parts.front().starts_with(rounds_name)) {
    const auto rounds = number_of(parts.front(), rounds_name);
    if (!rounds || *rounds > sha_crypt_rounds_max)
      return fmt::format("asks for more than {} rounds", sha_crypt_rounds_max);
    parts.erase(parts.begin());
  }
  const bool is_whole = parts.size() == 2 && parts[0].size() <= salt_bytes_max &&
                        is_crypt_text(parts[0]) && parts[1].size() == key_bytes &&
                        is_crypt_text(parts[1]);
  return is_whole ? "" : "is no whole SHA-crypt hash";
}

bool verify_scrypt(const ScryptHash& hash, std::string_view password) {
  std::string key(hash.key.size(), '\0');
  const auto bytes = [](const std::string_view text) {
    // NOLINTNEXTLINE(*-reinterpret-cast): text as libsodium's bytes
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  const int failed =
      crypto_pwhash_scryptsalsa208sha256_ll(bytes(password),
                                            password.size(),
                                            bytes(hash.salt),
                                            hash.salt.size(),
                                            std::uint64_t{1} << hash.log2_n,
                                            hash.r,
                                            hash.p,
                                            // NOLINTNEXTLINE(*-reinterpret-cast): as above
                                            reinterpret_cast<unsigned char*>(key.data()),
                                            key.size());
  return failed == 0 && sodium_memcmp(key.data(), hash.key.data(), key.size()) == 0;
}

// crypt(3) ends at a NUL: what is behind one would count for nothing.
bool verify_crypt(const std::string& hash, std::string_view password) {
  if (password.contains('\0')) return false;
  std::string phrase(password);
  const auto work = std::make_unique<crypt_data>();  // 32 KiB
  const char* made = crypt_r(phrase.c_str(), hash.c_str(), work.get());
  const bool same = made != nullptr && std::string_view(made).size() == hash.size() &&
                    sodium_memcmp(made, hash.data(), hash.size()) == 0;
  sodium_memzero(work.get(), sizeof *work);
  sodium_memzero(phrase.data(), phrase.size());
  return same;
}

}  // namespace

bool is_foreign_hash(std::string_view hash) {
  static constexpr std::array<std::string_view, 6> prefixes{
      scrypt_prefix, "$2a$", "$2b$", "$2y$", "$5$", "$6$"};
  return std::ranges::any_of(prefixes, [&](auto prefix) { return hash.starts_with(prefix); });
}

std::string foreign_hash_problem(std::string_view hash) {
  if (!is_foreign_hash(hash)) return "is of a kind that is not known here";
  if (hash.starts_with("$2")) return bcrypt_problem(hash);
  if (!hash.starts_with(scrypt_prefix)) return sha_crypt_problem(hash);
  const auto scrypt = ScryptHash::from_text(hash);
  return scrypt ? "" : scrypt.error().what;
}

bool verify_foreign_password(const std::string& hash, std::string_view password) {
  if (sodium_init() < 0 || !foreign_hash_problem(hash).empty()) return false;
  if (const auto scrypt = ScryptHash::from_text(hash)) return verify_scrypt(*scrypt, password);
  return verify_crypt(hash, password);
}

std::string ScryptHash::text() const {
  return fmt::format("{}ln={},r={},p={}${}${}",
                     scrypt_prefix,
                     log2_n,
                     r,
                     p,
                     without_padding(text::to_base64(salt)),
                     without_padding(text::to_base64(key)));
}

Result<ScryptHash> ScryptHash::from_text(std::string_view text) {
  const auto no_hash = fail(Code::invalid, "is no scrypt hash");
  if (!text.starts_with(scrypt_prefix)) return no_hash;
  const auto parts = text::split(text.substr(scrypt_prefix.size()), '$');
  const auto numbers = text::split(parts.front(), ',');
  if (parts.size() != 3 || numbers.size() != 3) return no_hash;
  const auto log2_n = number_of(numbers[0], "ln=");
  const auto r = number_of(numbers[1], "r=");
  const auto p = number_of(numbers[2], "p=");
  auto salt = from_unpadded(parts[1]);
  auto key = from_unpadded(parts[2]);
  if (!log2_n || !r || !p || !salt || !key) return no_hash;
  ScryptHash hash{*log2_n, *r, *p, *std::move(salt), *std::move(key)};
  if (auto problem = scrypt_problem(hash); !problem.empty())
    return fail(Code::invalid, std::move(problem));
  return hash;
}

}  // namespace tapal::crypto
