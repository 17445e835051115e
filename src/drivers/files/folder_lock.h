// A folder that one program at a time may work in: a lock on a file in it, given up at the end of
// the program too, however it ends.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace tapal::files {

class FolderLock {
 public:
  // Makes the folder, owner-only. Never waits: Code::denied says that somebody `works` there now.
  static Result<FolderLock> take(const std::filesystem::path& folder, std::string_view works);

  FolderLock(FolderLock&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int number) : number_(number) {}
  int number_;
};

}  // namespace tapal::files
