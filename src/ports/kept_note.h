// A small text that outlives restarts: what a service must remember, and nobody else reads. Both
// calls block for the disk.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal {

struct KeptNote {
  virtual ~KeptNote() = default;
  virtual Result<std::string> read() = 0;                 // empty: nothing yet
  virtual Result<void> write(std::string_view text) = 0;  // in one step, synced
};

}  // namespace tapal
