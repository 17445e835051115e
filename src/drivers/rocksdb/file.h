// A file descriptor that closes itself, and the system's errors as ours.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "base/result.h"

namespace tapal::spool {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& from) noexcept : number_(std::exchange(from.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& from) noexcept {
    std::swap(number_, from.number_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// From errno. ENOSPC and EDQUOT are Code::full.
std::unexpected<Error> system_error(std::string_view doing, const std::string& path);

Result<void> write_all(int file, std::string_view bytes, const std::string& path);
Result<void> make_folder(const std::string& path);  // 0700; made so when it is there already
Result<void> sync_folder(const std::string& path);

}  // namespace tapal::spool
