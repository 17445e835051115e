// A program that goes on when we end.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace tapal {

// Started in a session of its own, in the root folder, with nothing on its standard input and what
// it writes added to `log_file` (made owner-only). `arguments` begin with the program, an absolute
// path; no shell. Errors: not_found or denied (the program), those of opening the file, internal.
Result<void> start_detached(const std::vector<std::string>& arguments,
                            const std::filesystem::path& log_file);

}  // namespace tapal
