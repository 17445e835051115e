// Makes a backup in one file: of a server that runs, without stopping it, or of one that does not.
#pragma once

#include <filesystem>
#include <string>

#include "app/backup/archive.h"

namespace tapal::app {

struct SaveOptions {
  std::filesystem::path file;
  std::string passphrase;  // empty: keys and hashes go in as they are
  // move: no server may run, and none starts afterwards: the state folder is closed.
  upkeep::BackupPurpose purpose = upkeep::BackupPurpose::copy;
};

Result<SavedBackup> save_backup(const std::filesystem::path& config, const SaveOptions& options);

}  // namespace tapal::app
