// Making a user, for other commands too.
#pragma once

#include <string>

#include "app/command.h"
#include "app/password_input.h"
#include "base/result.h"

namespace tapal::app {

// Tells what was done, or why not; the exit code.
int add_user(const CommonOptions& common,
             const std::string& address,
             const PasswordSource& password);

// The password, which is kept nowhere. Errors: invalid (there is such a user), not_found (no such
// domain of ours), those of files.
Result<std::string> add_user_with_new_password(const CommonOptions& common,
                                               const std::string& address);

}  // namespace tapal::app
