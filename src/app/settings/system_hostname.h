// What the system calls this machine.
#pragma once

#include <string>

#include "base/result.h"

namespace tapal::app {

Result<std::string> system_hostname();  // A-labels

}  // namespace tapal::app
