// Whose rights the programs of aliases and hooks get: what strangers send reaches them.
#pragma once

#include <string>

#include <sys/types.h>

#include "drivers/system/program_runner.h"

namespace tapal::app {

// By the setting programs.user, for a process that is `ours`. Root runs none unless a user is
// named, be it root. The Error names the setting: no such user, or not ours to become.
Result<ProgramRights> program_rights(const std::string& user_name, uid_t ours);

}  // namespace tapal::app
