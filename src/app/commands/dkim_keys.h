// `tapal dkim rotate` and `tapal dkim status`: their place is below `dkim`.
#pragma once

#include "app/cli/command.h"

namespace tapal::app {

void declare_dkim_keys(const Command& dkim);

}  // namespace tapal::app
