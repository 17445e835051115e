// An open file that closes itself, and what is done with one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "base/result.h"

namespace tapal::files {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }
  // False when the system tells only now that a write failed; errno says why.
  bool close() { return number_ < 0 || ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

// `path` is for the error's text.
Result<std::string> read_open_file(const Descriptor& file,
                                   const std::filesystem::path& path,
                                   std::size_t bytes_max);
Result<void> write_all(const Descriptor& file,
                       std::string_view bytes,
                       const std::filesystem::path& path);
Result<void> sync_folder(const std::filesystem::path& folder);
// Everything on the disk where the folder is: for many files at once.
Result<void> sync_disk_of(const std::filesystem::path& folder);

}  // namespace tapal::files
