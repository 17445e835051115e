// A folder that one program at a time may work in: a lock on a file in it, given up at the end of
// the program too, however it ends.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "drivers/files/descriptor.h"

namespace tapal::files {

class FolderLock {
 public:
  // Makes the folder, owner-only. Never waits: Code::denied says that somebody `works` there now.
  static Result<FolderLock> take(const std::filesystem::path& folder, std::string_view works);

 private:
  explicit FolderLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace tapal::files
