// What is in a spool that no server uses: looked through, or put on hold.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace tapal::app {

struct SpoolContents {
  std::size_t messages = 0;
  std::size_t recipients_waiting = 0;
  std::vector<std::string> problems;  // messages that cannot be read
};
// Reads every message to its end.
Result<SpoolContents> look_through_spool(const std::filesystem::path& spool);

// Every recipient that waits, until `tapal queue release`; how many.
Result<std::size_t> hold_spool(const std::filesystem::path& spool);

}  // namespace tapal::app
