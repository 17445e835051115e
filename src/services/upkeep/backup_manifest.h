// The first file of a backup: what made it, and the name, size and SHA-256 of every file that
// follows, in their order.
//   tapal backup 1 by 0.1.0
//   made 2026-11-22T03:04:05.678Z
//   purpose copy
//   configuration 1
//   spool 1
//   <sha256> <bytes> config/tapal.toml
//   ...
//   end <sha256 of what stands above>
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "values/crypto/hash.h"

namespace tapal::upkeep {

inline constexpr std::string_view manifest_name = "manifest";
inline constexpr int backup_form = 1;
inline constexpr std::size_t backup_files_max = 2'000'000;
inline constexpr std::size_t manifest_bytes_max = 256UL * 1024 * 1024;

// Where files of a backup go, by how their names begin.
inline constexpr std::string_view config_prefix = "config/";
inline constexpr std::string_view spool_prefix = "spool/";
inline constexpr std::string_view sealed_config_name = "config.sealed";  // in place of config/
inline constexpr std::string_view marks_name = "final-dot.marks";
inline constexpr std::string_view dns_changes_prefix = "dns-changes/";
inline constexpr auto dns_changes_name =  // the folder's, among what the server keeps
    dns_changes_prefix.substr(0, dns_changes_prefix.size() - 1);

enum class BackupPurpose : std::uint8_t {
  copy,  // its server went on: mail in it may have been delivered since
  move,  // its server has ended for good
};

struct BackupFile {
  std::string name;  // one of the above
  std::uint64_t bytes = 0;
  crypto::Digest hash{};

  bool operator==(const BackupFile&) const = default;
};

struct BackupManifest {
  std::string made_by;  // tapal's version
  WallTime made{};
  BackupPurpose purpose = BackupPurpose::copy;
  int config_version = 0;
  std::optional<int> spool_version;  // nothing: no spool is in it
  std::vector<BackupFile> files;

  bool operator==(const BackupManifest&) const = default;
};

std::string_view text_of(BackupPurpose purpose);

std::string to_text(const BackupManifest& manifest);
// Code::invalid: changed, cut off, of a newer form, or a file in it has a name that leads
// elsewhere.
Result<BackupManifest> manifest_from_text(std::string_view text);

}  // namespace tapal::upkeep
