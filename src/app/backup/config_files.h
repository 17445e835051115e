// What in the configuration folder is configuration: not git's history, not what is just being
// written or was put aside, not the state where that lies inside.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "services/upkeep/secret_archive.h"

namespace tapal::app {

// Where the server keeps what is no configuration, when that is inside the folder. Nothing: the
// settings cannot be read, and do not tell.
std::optional<std::vector<std::string>> state_folders(const std::filesystem::path& config);

// By its name alone; `file` is below the folder.
bool is_configuration(const std::filesystem::path& file);

// Names of what was put aside, by an upgrade or a restore: they begin so.
inline constexpr std::string_view kept_copy_prefix = "before-version-";
inline constexpr std::string_view replaced_prefix = "replaced-";

struct ConfigFiles {
  std::vector<upkeep::ArchivedFile> files;
  std::vector<std::string> left_out;  // what is neither a file nor a folder, and links to folders
};
// A link to a file counts as the file.
Result<ConfigFiles> read_config_files(const std::filesystem::path& config);

}  // namespace tapal::app
