#include "rules/account/app_password.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::account {
namespace {

constexpr std::string_view alphabet = "abcdefghjkmnpqrstvwxyz0123456789";
static_assert(alphabet.size() == 32);  // each character is five bits, none likelier than another
constexpr std::size_t characters = 25;
constexpr std::size_t group = 5;
constexpr std::size_t program_name_bytes_max = 32;
constexpr std::string_view hash_prefix = "sha256:";

std::optional<std::chrono::year_month_day> parse_date(std::string_view text) {
  const auto parts = text::split(text, '-');
  if (parts.size() != 3 || text.size() != std::string_view("2026-11-26").size()) return {};
  const auto year = text::to_number<unsigned>(parts[0]);
  const auto month = text::to_number<unsigned>(parts[1]);
  const auto day = text::to_number<unsigned>(parts[2]);
  if (!year || !month || !day) return {};
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month),
                                         std::chrono::day(*day));
  return date.ok() ? std::optional(date) : std::nullopt;
}

std::optional<crypto::Digest> parse_digest(std::string_view text) {
  if (!text.starts_with(hash_prefix)) return {};
  const auto bytes = text::from_base64(text.substr(hash_prefix.size()));
  crypto::Digest digest{};
  if (!bytes || bytes->size() != digest.size()) return {};
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

}  // namespace

std::string AppPassword::text() const {
  return fmt::format("{}{},{},{}{}",
                     app_password_prefix,
                     name,
                     created_text(),
                     hash_prefix,
                     text::to_base64(crypto::bytes_of(digest)));
}

std::string AppPassword::created_text() const {
  return fmt::format("{:04}-{:02}-{:02}",
                     static_cast<int>(created.year()),
                     static_cast<unsigned>(created.month()),
                     static_cast<unsigned>(created.day()));
}

Result<AppPassword> AppPassword::from_text(std::string_view word) {
  if (!word.starts_with(app_password_prefix)) return fail(Code::invalid, "no application password");
  const auto parts = text::split(word.substr(app_password_prefix.size()), ',');
  const auto date = parts.size() == 3 ? parse_date(parts[1]) : std::nullopt;
  const auto digest = parts.size() == 3 ? parse_digest(parts[2]) : std::nullopt;
  // What stands there is never shown: it may be a password typed in the wrong place.
  if (!date || !digest)
    return fail(Code::invalid,
                "an application password is app-password=NAME,YYYY-MM-DD,sha256:HASH; make one "
                "with: tapal user app-password add");
  if (auto wrong = app_password_name_problem(parts[0]); !wrong.empty())
    return fail(Code::invalid, std::move(wrong));
  return AppPassword{std::string(parts[0]), *date, *digest};
}

std::string app_password_name_problem(std::string_view name) {
  const auto may_be = [](char c) {
    return (c >= 'a' && c <= 'z') || text::is_digit(c) || c == '-' || c == '_' || c == '.';
  };
  if (!name.empty() && name.size() <= program_name_bytes_max && std::ranges::all_of(name, may_be))
    return {};
  return fmt::format(
      "the name of an application password has 1 to {} of a-z, 0-9, \"-\", \"_\" and \".\"",
      program_name_bytes_max);
}

std::string readable_password(std::string_view random) {
  std::string password;
  for (std::size_t i = 0; i < characters; ++i) {
    if (i > 0 && i % group == 0) password += '-';
    password += alphabet[static_cast<unsigned char>(random.at(i)) % alphabet.size()];
  }
  return password;
}

std::optional<crypto::Digest> app_password_digest(std::string_view password) {
  std::string bare;
  for (const char c : password)
    if (c != '-' && c != ' ') bare += text::to_lower(c);
  const auto is_ours = [](char c) { return alphabet.contains(c); };
  std::optional<crypto::Digest> digest;
  if (bare.size() == characters && std::ranges::all_of(bare, is_ours))
    digest = crypto::sha256(bare);
  crypto::wipe(bare);
  return digest;
}

const AppPassword* find_app_password(std::span<const AppPassword> passwords,
                                     const crypto::Digest& digest) {
  const AppPassword* found = nullptr;
  for (const auto& each : passwords)
    if (crypto::constant_time_equal(each.digest, digest)) found = &each;
  return found;
}

}  // namespace tapal::account
