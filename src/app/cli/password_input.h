// Passwords and how they get in: from a file, from standard input, from a person who types blindly.
#pragma once

#include <cstdint>
#include <string>

#include "app/settings/settings.h"
#include "base/result.h"
#include "rules/account/users_file.h"

namespace tapal::app {

// Where a password comes from: a file ("-" is standard input), the environment, or a person at the
// terminal. Never the command line, where everybody on the machine can read it.
struct PasswordSource {
  std::string file;
  enum class Otherwise : std::uint8_t { ask, generate } otherwise = Otherwise::ask;
};

enum class Ask : std::uint8_t { once, twice };  // twice: a new one, so that it is typed right

Result<std::string> read_password(const PasswordSource& source, Ask ask);
std::string generate_password();  // account::readable_password()

// What the users file keeps of a password: argon2id and SCRAM-SHA-256 keys, of its form that logins
// are brought to (sasl::prepared).
Result<account::Credentials> make_credentials(const std::string& password,
                                              const crypto::PasswordCost& cost);

}  // namespace tapal::app
