// The message that a command is given.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::app {

// The whole message of a file ("-" is standard input) with CRLF line ends; 256 MiB at most.
Result<std::string> read_message(const std::string& file);

// Lines that end in LF, as files on Unix have them, become lines as they are sent.
std::string with_crlf(std::string_view text);

}  // namespace tapal::app
