// Passwords for applications that keep them, such as Gmail: made by us, named, each taken back by
// itself. They log in by PLAIN and LOGIN under TLS. SCRAM cannot use them: it must choose its keys
// by the user's name, before it has seen anything of the password
// (docs/decisions/0013-application-passwords.md).
//
// A fast hash without salt is enough for them, and argon2 would be too much: of 125 random bits
// there is no dictionary and nothing to guess, and twenty hashes are compared in a microsecond,
// before and beside the one argon2 that every other attempt costs.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "values/crypto/hash.h"

namespace tapal::account {

inline constexpr std::size_t app_passwords_per_user_max = 20;
inline constexpr std::string_view app_password_prefix = "app-password=";

struct AppPassword {
  std::string name;                     // "gmail": see app_password_name_problem()
  std::chrono::year_month_day created;  // UTC
  crypto::Digest digest{};              // app_password_digest()

  // As a word of the users file: "app-password=gmail,2026-11-26,sha256:...".
  std::string text() const;
  std::string created_text() const;  // "2026-11-26"
  static Result<AppPassword> from_text(std::string_view word);
};

// 1 to 32 of a-z, 0-9, "-", "_" and "."; the text names what is wrong, empty means it can be one.
std::string app_password_name_problem(std::string_view name);

// Of 25 random bytes: five groups of five characters that are easy to tell apart, 125 bits.
std::string readable_password(std::string_view random);

// SHA-256 of the password as people may type it: capitals, spaces and hyphens do not count.
// Nothing when it has not the form of one; that depends on the typed text alone.
std::optional<crypto::Digest> app_password_digest(std::string_view password);

// The one that it is, or null. Looks at all of them, whichever it is.
const AppPassword* find_app_password(std::span<const AppPassword> passwords,
                                     const crypto::Digest& digest);

}  // namespace tapal::account
