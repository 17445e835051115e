// Passwords and how they get in: from a file, from standard input, from a person who types blindly.
#pragma once

#include <string>

#include "app/commands.h"
#include "app/settings.h"
#include "base/result.h"
#include "rules/account/users_file.h"

namespace tapal::app {

enum class Ask : std::uint8_t { once, twice };  // twice: a new one, so that it is typed right

Result<std::string> read_password(const PasswordSource& source, Ask ask);
// Five groups of five characters that are easy to tell apart: 125 bits.
std::string generate_password();

// What the users file keeps of a password: argon2id and SCRAM-SHA-256 keys, of its form that logins
// are brought to (sasl::prepared).
Result<account::Credentials> make_credentials(const std::string& password,
                                              const crypto::PasswordCost& cost);

}  // namespace tapal::app
