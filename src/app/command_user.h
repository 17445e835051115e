// Making a user, for other commands too.
#pragma once

#include <string>

#include "app/command.h"
#include "app/password_input.h"

namespace tapal::app {

// Tells what was done, or why not; the exit code.
int add_user(const CommonOptions& common,
             const std::string& address,
             const PasswordSource& password);

}  // namespace tapal::app
