#include "values/crypto/sealed.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <sodium.h>

#include "values/crypto/c_library.h"
#include "values/crypto/hash.h"
#include "values/crypto/password.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::crypto {
namespace {

constexpr std::string_view seal_word = "tapal-sealed-1";
constexpr std::string_view sealer_word = "tapal-sealer-1";
constexpr std::size_t line_bytes_max = 200;
constexpr std::size_t tag_bytes = 32;

using Bytes32 = std::array<std::uint8_t, 32>;

template <std::size_t Count>
std::string_view view(const std::array<std::uint8_t, Count>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::size_t Count>
bool read_bytes(std::string_view text, std::array<std::uint8_t, Count>& into) {
  const auto bytes = text::from_base64_url(text);
  if (!bytes || bytes->size() != Count) return false;
  std::ranges::copy(*bytes, into.begin());
  return true;
}

bool within_bounds(const SealCost& cost) {
  return cost.memory_kib >= 8 && cost.memory_kib <= password_memory_kib_max && cost.passes >= 1 &&
         cost.passes <= password_passes_max;
}

// "262144 3 <salt>" behind a word.
std::string cost_text(const Sealer& sealer) {
  return fmt::format("{} {} {}",
                     sealer.cost.memory_kib,
                     sealer.cost.passes,
                     text::to_base64_url(view(sealer.salt)));
}

bool read_cost(const std::vector<std::string_view>& words, Sealer& into) {
  const auto memory = text::to_number<std::uint64_t>(words[1]);
  const auto passes = text::to_number<std::uint64_t>(words[2]);
  if (!memory || !passes || !read_bytes(words[3], into.salt)) return false;
  into.cost = {*memory, *passes};
  return within_bounds(into.cost);
}

struct KeyPair {
  Sealer sealer;
  Bytes32 secret_key{};
  KeyPair() = default;
  KeyPair(const KeyPair&) = default;
  KeyPair& operator=(const KeyPair&) = default;
  ~KeyPair() { sodium_memzero(secret_key.data(), secret_key.size()); }
};

Result<KeyPair> derive(std::string_view passphrase, const Sealer& with) {
  if (passphrase.empty() || passphrase.size() > password_bytes_max)
    return fail(Code::invalid,
                fmt::format("a passphrase has at most {} bytes", password_bytes_max));
  if (sodium_init() < 0) return fail(Code::internal, "libsodium does not start");
  KeyPair pair;
  pair.sealer = with;
  std::array<std::uint8_t, 64> derived{};
  if (crypto_pwhash(derived.data(),
                    derived.size(),
                    passphrase.data(),
                    passphrase.size(),
                    with.salt.data(),
                    with.cost.passes,
                    with.cost.memory_kib * 1024,
                    crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(Code::full,
                fmt::format("not enough memory for the passphrase: it takes {} MiB",
                            with.cost.memory_kib / 1024));
  crypto_box_seed_keypair(pair.sealer.public_key.data(), pair.secret_key.data(), derived.data());
  std::copy(derived.begin() + 32, derived.end(), pair.sealer.tag_key.begin());
  sodium_memzero(derived.data(), derived.size());
  return pair;
}

}  // namespace

std::string Sealer::text() const {
  return fmt::format("{} {} {} {}\n",
                     sealer_word,
                     cost_text(*this),
                     text::to_base64_url(view(public_key)),
                     text::to_base64_url(view(tag_key)));
}

Result<Sealer> Sealer::from_text(std::string_view text) {
  const auto words = text::split(text::trim(text), ' ');
  Sealer sealer;
  if (words.size() != 6 || words[0] != sealer_word || !read_cost(words, sealer) ||
      !read_bytes(words[4], sealer.public_key) || !read_bytes(words[5], sealer.tag_key))
    return fail(Code::invalid, "this is not what seals a backup");
  return sealer;
}

Result<Sealer> make_sealer(std::string_view passphrase, const SealCost& cost) {
  if (passphrase.size() < passphrase_bytes_min)
    return fail(Code::invalid,
                fmt::format("a passphrase of fewer than {} bytes can be guessed by whoever has the "
                            "backup",
                            passphrase_bytes_min));
  if (!within_bounds(cost)) return fail(Code::invalid, "a cost out of bounds");
  Sealer sealer;
  sealer.cost = cost;
  std::ranges::copy(random_bytes(sealer.salt.size()), sealer.salt.begin());
  TAPAL_TRY(const auto pair, derive(passphrase, sealer));
  return pair.sealer;
}

Result<std::string> seal(const Sealer& sealer, std::string_view bytes) {
  if (sodium_init() < 0) return fail(Code::internal, "libsodium does not start");
  if (bytes.size() > sealed_bytes_max)
    return fail(Code::invalid, fmt::format("more than {} bytes to be sealed", sealed_bytes_max));
  auto sealed = fmt::format("{} {}\n", seal_word, cost_text(sealer));
  std::string box(bytes.size() + crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal(
          unsigned_bytes(box), unsigned_bytes(bytes), bytes.size(), sealer.public_key.data()) != 0)
    return fail(Code::internal, "the bytes cannot be sealed");
  sealed += box;
  sealed += bytes_of(hmac_sha256(view(sealer.tag_key), sealed));
  return sealed;
}

Result<Unsealed> open_sealed(std::string_view passphrase, std::string_view sealed) {
  const auto end = sealed.substr(0, line_bytes_max).find('\n');
  const auto words = text::split(sealed.substr(0, std::min(end, sealed.size())), ' ');
  Sealer asked;
  if (end == sealed.npos || words.size() != 4 || words[0] != seal_word ||
      !read_cost(words, asked) || sealed.size() < end + 1 + crypto_box_SEALBYTES + tag_bytes ||
      sealed.size() > sealed_bytes_max + line_bytes_max + crypto_box_SEALBYTES + tag_bytes)
    return fail(Code::invalid, "this is not a sealed file");
  TAPAL_TRY(const auto pair, derive(passphrase, asked));
  const auto tagged = sealed.substr(0, sealed.size() - tag_bytes);
  const auto tag = hmac_sha256(view(pair.sealer.tag_key), tagged);
  if (!constant_time_equal(bytes_of(tag), sealed.substr(tagged.size())))
    return fail(Code::denied, "the passphrase is another one, or the sealed file was changed");
  const auto box = tagged.substr(end + 1);
  std::string bytes(box.size() - crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal_open(unsigned_bytes(bytes),
                           unsigned_bytes(box),
                           box.size(),
                           pair.sealer.public_key.data(),
                           pair.secret_key.data()) != 0)
    return fail(Code::denied, "the sealed file cannot be opened");
  return Unsealed{std::move(bytes), pair.sealer};
}

}  // namespace tapal::crypto
