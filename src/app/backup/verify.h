// Whether a backup could be restored: unpacked and read as a server would.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "app/backup/archive.h"
#include "app/backup/spool_contents.h"

namespace tapal::app {

struct VerifiedBackup {
  upkeep::BackupManifest manifest;
  SpoolContents spool;
  std::vector<std::string> problems;  // of settings, users, aliases, messages; empty: none
};

// Needs room for it below the system's folder for temporary files.
Result<VerifiedBackup> verify_backup(const std::filesystem::path& path,
                                     CheckedBackup backup,
                                     std::string_view passphrase);

}  // namespace tapal::app
