// Whether something in a folder changed since it was last read, without reading it: names, times,
// inodes and sizes. A timer asks, and reloads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace tapal::files {

class FolderMarks {
 public:
  // Follows links (an ACME client renews by turning one), at most 8 folders deep. A folder that
  // is not there has no marks. Lock files and names that begin with "." do not count.
  static FolderMarks take(const std::filesystem::path& folder);
  bool operator==(const FolderMarks&) const = default;

 private:
  struct Mark {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t changed_ns = 0;
    std::int64_t modified_ns = 0;
    std::int64_t bytes = 0;
    bool operator==(const Mark&) const = default;
  };
  std::map<std::string, Mark> marks_;
};

}  // namespace tapal::files
