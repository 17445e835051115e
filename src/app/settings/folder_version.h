// The form in which a folder is kept, as a number in its file `version`. A folder without that file
// is of version 0, from before there were numbers.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::app {

struct FolderForm {
  std::string_view what;
  int version;  // which this tapal writes, and up to which it reads
};
inline constexpr FolderForm config_form{"configuration", 1};
inline constexpr FolderForm spool_form{"spool", 1};

inline constexpr std::string_view version_file_name = "version";

Result<int> read_version(const std::filesystem::path& folder);
std::string version_text(int version);  // of the file
Result<void> write_version(const std::filesystem::path& folder, int version);

// Code::denied, with both versions and what to do: a newer tapal made it. `where` names it.
Result<void> check_version(const FolderForm& form, int version, const std::string& where);

}  // namespace tapal::app
