// What `tapal config check` tells beyond errors of reading: things that will go wrong later.
#pragma once

#include <string>
#include <vector>

#include "app/settings/settings.h"
#include "base/time.h"
#include "drivers/files/config_folder.h"

namespace tapal::app {

struct ConfigProblems {
  std::vector<std::string> errors;    // the server will not start
  std::vector<std::string> warnings;  // it will, but something does not work or is unwise
};
ConfigProblems config_problems(const files::ConfigFolder& folder,
                               const Settings& settings,
                               WallTime now);

}  // namespace tapal::app
