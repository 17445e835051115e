// Making a program's process. Its descriptors 0 to 2 are the three given; it has no others, stands
// in
// "/", leads a session of its own, and blocks and ignores no signal.
#pragma once

#include <array>

#include <sys/types.h>

#include "base/result.h"
#include "drivers/system/system_user.h"
#include "ports/programs.h"

namespace tapal {

using ProgramDescriptors = std::array<int, 3>;  // all above 2, to be closed at exec

// With the rights of this process, or of `user` where there is one, which takes root's. Errors as
// Programs::run() has them, with the program's name.
Result<pid_t> launch_program(ProgramRun& run,
                             const ProgramDescriptors& descriptors,
                             const SystemUser* user);

}  // namespace tapal
