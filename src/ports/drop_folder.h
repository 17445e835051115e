// Where programs of this machine leave mail for the server. Everything in it is hostile: any user
// of the machine may put files there. Calls block for the disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace tapal {

struct DroppedFile {
  std::uint32_t owner = 0;  // the user who left it, by the system's word
  std::string bytes;
};

struct DropFolder {
  virtual ~DropFolder() = default;
  // Of files that are complete, the oldest first, at most `names_max`.
  virtual Result<std::vector<std::string>> names(std::size_t names_max) = 0;
  // Code::invalid: nothing that was left for us; not_found: taken back.
  virtual Result<DroppedFile> read(const std::string& name) = 0;
  virtual Result<void> remove(const std::string& name) = 0;
};

}  // namespace tapal
