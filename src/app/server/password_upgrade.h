// Passwords that came with users of another server, brought to our own form at their first login.
#pragma once

#include <filesystem>

#include "ports/log.h"
#include "services/intake/authenticator.h"
#include "values/crypto/password.h"

namespace tapal::app {

// Writes into the users files of the folder; what cannot be written is logged, and the old hash
// stays good. `log` must outlive what is given.
intake::UpgradePassword password_upgrade(std::filesystem::path config,
                                         crypto::PasswordCost cost,
                                         Log& log);

}  // namespace tapal::app
