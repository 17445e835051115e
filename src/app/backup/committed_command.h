// The one place where a command's change of the configuration is committed to the backup.
#pragma once

#include <string>

#include "app/cli/command.h"

namespace tapal::app {

// Runs a command, and commits what it changed under its name; before it, what was changed by hand.
// Without a repository the command just runs. Trouble with the backup is told, and fails nothing.
int run_and_commit(const CommonOptions& common, const std::string& name, const Command::Run& run);

}  // namespace tapal::app
