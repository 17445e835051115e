// `tapal user app-password`: its place is below `user`.
#pragma once

#include "app/cli/command.h"

namespace tapal::app {

void declare_app_password(const Command& user);

}  // namespace tapal::app
