// The text of domains/<domain>/users, one user a line:
//   name: $argon2id$... [SCRAM-SHA-256$...] [app-password=name,date,sha256:...]...
//         [may-send-as=addr,addr,*@domain]
// In the place of $argon2id$ may stand what another server made, until the user first logs in
// (values/crypto/foreign_password.h).
// "#" begins a comment line. Reading, and edits that keep every other line byte for byte.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/account/user_record.h"

namespace tapal::account {

inline constexpr std::size_t users_per_domain_max = 100'000;
inline constexpr std::size_t user_line_bytes_max = 64 * 1024;
inline constexpr std::size_t grants_per_user_max = 1000;

// What a users file held, in its order. Each problem is "file:line: what is wrong"; lines without a
// problem are in `users` all the same, so that one bad line does not hide others.
struct UsersFile {
  std::vector<UserRecord> users;
  std::vector<std::string> problems;
};
UsersFile read_users(std::string_view text, std::string_view domain, std::string_view file_name);

// The same as one result: an Error of Code::invalid holds all problems, one a line.
Result<std::vector<UserRecord>> parse_users(std::string_view text,
                                            std::string_view domain,
                                            std::string_view file_name);

// What a password becomes in the file. `scram_keys` may be empty.
struct Credentials {
  std::string password_hash;
  std::string scram_keys;
};

// Each gives the new text. Errors: invalid (the name cannot be one, or is taken; too many
// application passwords), not_found (no such user or application password).
// Lines that cannot be read are kept as they are.
Result<std::string> add_user(std::string_view text,
                             std::string_view name,
                             const Credentials& credentials);
struct NewUser {
  std::string name;
  Credentials credentials;
};
Result<std::string> add_users(std::string_view text, std::span<const NewUser> users);
Result<std::string> remove_user(std::string_view text, std::string_view name);
Result<std::string> set_password(std::string_view text,
                                 std::string_view name,
                                 const Credentials& credentials);
// The same, unless the password was changed since: then not_found.
Result<std::string> replace_password(std::string_view text,
                                     std::string_view name,
                                     std::string_view old_hash,
                                     const Credentials& credentials);
Result<std::string> add_app_password(std::string_view text,
                                     std::string_view name,
                                     const AppPassword& password);
Result<std::string> remove_app_password(std::string_view text,
                                        std::string_view name,
                                        std::string_view password_name);

}  // namespace tapal::account
