// The users of the configuration folder and their passwords, for commands.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "app/cli/command.h"
#include "app/cli/password_input.h"
#include "base/result.h"
#include "rules/account/users_file.h"
#include "values/mail/address.h"

namespace tapal::app {

inline constexpr mode_t users_file_mode = 0600;

// The file, which may not be there yet. not_found: the domain is not ours.
Result<std::filesystem::path> users_file_of(const CommonOptions& common, const mail::Address& user);

// account::add_user or account::set_password.
using PasswordEdit = Result<std::string> (*)(std::string_view users_file,
                                             std::string_view local,
                                             const account::Credentials& credentials);

// Gives `address` the password that `source` tells or that is made up, and tells what was done, or
// why not. The exit code.
int give_password(const CommonOptions& common,
                  const std::string& address,
                  const PasswordSource& source,
                  PasswordEdit edit);

// The password, which is kept nowhere. Errors: invalid (there is such a user), not_found (no such
// domain of ours), those of files.
Result<std::string> add_user_with_new_password(const CommonOptions& common,
                                               const std::string& address);

}  // namespace tapal::app
