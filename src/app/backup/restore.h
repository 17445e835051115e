// Puts a backup into place, on this machine or another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "app/backup/archive.h"

namespace tapal::app {

enum class RestoreOver : std::uint8_t { nothing, what_is_there };  // which is put aside
// After a backup of a server that went on, mail in it may have been delivered meanwhile.
enum class RestoredMail : std::uint8_t { held_unless_moved, delivered };

struct RestoreOptions {
  std::filesystem::path file;
  std::filesystem::path config;
  std::filesystem::path state;  // empty: as the settings in the backup have it
  std::string passphrase;       // of a sealed configuration
  RestoreOver over = RestoreOver::nothing;
  RestoredMail mail = RestoredMail::held_unless_moved;
};

struct Restored {
  upkeep::BackupManifest manifest;
  std::filesystem::path state;
  std::size_t files = 0;            // of the configuration
  std::size_t recipients_held = 0;  // until `tapal queue release`
};

// The backup is looked through before anything is written. While it is put into place the state
// folder is closed to servers; what was interrupted is begun again by the same command. Root's
// files become those of the folders' owners. Code::denied: something is there, or a server runs.
Result<Restored> restore_backup(CheckedBackup backup, const RestoreOptions& options);

}  // namespace tapal::app
