// Files in one text, before it is sealed and after: "<bytes> <path>\n" and the bytes, one behind
// the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::upkeep {

inline constexpr std::size_t archived_files_max = 100'000;

struct ArchivedFile {
  std::string path;   // "domains/example.com/users": below the configuration folder
  std::string bytes;  // secret

  bool operator==(const ArchivedFile&) const = default;
};

// Whether a path leads to a place below the folder it is put into, and not into .git.
bool is_archive_path(std::string_view path);

// In the order of their paths, so that the same files give the same text.
std::string pack(std::vector<ArchivedFile> files);
// Code::invalid: not of this form, a path that leads elsewhere, too many files.
Result<std::vector<ArchivedFile>> unpack(std::string_view archive);

}  // namespace tapal::upkeep
