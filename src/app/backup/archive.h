// A backup in one file: a tar of the configuration and, where there is one, the spool, with a
// manifest at its head (services/upkeep/backup_manifest.h).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "services/upkeep/backup_manifest.h"
#include "services/upkeep/secret_archive.h"

namespace tapal::app {

inline constexpr std::size_t piece_bytes = 256UL * 1024;  // files go through memory in such

struct BackupSource {
  std::filesystem::path config;
  std::string passphrase;            // empty: keys and hashes go in as they are
  std::filesystem::path spool = {};  // nobody writes there meanwhile; empty: none
  int spool_version = 0;
  std::filesystem::path marks = {};        // of deliveries under way; may be absent
  std::filesystem::path dns_changes = {};  // the journal of what was written to DNS; may be absent
  upkeep::BackupPurpose purpose = upkeep::BackupPurpose::copy;
};

// Whether a file of a backup belongs in the state folder.
bool is_of_the_state(std::string_view name);

struct SavedBackup {
  upkeep::BackupManifest manifest;
  std::vector<std::string> left_out;  // of the configuration folder: no files
};

// At its place whole, or not at all. Code::denied: something is there; Code::full: no room.
Result<SavedBackup> write_backup(const std::filesystem::path& path, const BackupSource& source);

struct CheckedBackup {
  upkeep::BackupManifest manifest;
  std::vector<upkeep::ArchivedFile> config;  // secret; where it is sealed, that one file
  bool is_sealed() const;
};

// Reads it whole: what is in it is what was saved, in a form that this tapal knows. Code::invalid,
// with the place: cut off, damaged, changed.
Result<CheckedBackup> check_backup(const std::filesystem::path& path);

// Code::denied: the passphrase is another. Not sealed: as it is.
Result<std::vector<upkeep::ArchivedFile>> open_config(CheckedBackup backup,
                                                      std::string_view passphrase);
// The settings last: without them nothing takes the folder for a configuration.
Result<void> write_config(const std::vector<upkeep::ArchivedFile>& files,
                          const std::filesystem::path& folder);

// The spool, the marks and the journal of DNS changes, into a state folder that has none of them;
// on stable storage.
Result<void> unpack_state(const std::filesystem::path& path, const std::filesystem::path& state);

}  // namespace tapal::app
