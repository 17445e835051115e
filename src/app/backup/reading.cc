// A backup read back: nothing is believed of it but what its manifest says and its bytes bear out.
#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "app/backup/archive.h"
#include "app/settings/folder_version.h"
#include "app/settings/settings.h"
#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/files/ownership.h"
#include "drivers/files/tar_file.h"
#include "values/crypto/sealed.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;
using upkeep::BackupFile;
using upkeep::BackupManifest;

constexpr std::size_t config_bytes_max = crypto::sealed_bytes_max + 1024;

// Gets every file in pieces, and an empty piece as its end.
using TakeFile = std::function<Result<void>(const BackupFile& file, std::string_view piece)>;

Result<BackupManifest> read_manifest(files::TarReader& tar, const fs::path& path) {
  TAPAL_TRY(const auto entry, tar.next());
  if (!entry || entry->name != upkeep::manifest_name || entry->bytes > upkeep::manifest_bytes_max)
    return fail(Code::invalid, fmt::format("{} is no backup of tapal", path.string()));
  std::string text(entry->bytes, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    TAPAL_TRY(const auto count, tar.read(std::span(text).subspan(done)));
    if (count == 0) break;
    done += count;
  }
  auto manifest = upkeep::manifest_from_text(std::string_view(text).substr(0, done));
  if (!manifest)
    return fail(Code::invalid, fmt::format("{}: {}", path.string(), manifest.error().what));
  const auto where = path.string();
  TAPAL_CHECK(check_version(config_form, manifest->config_version, where));
  TAPAL_CHECK(check_version(spool_form, manifest->spool_version.value_or(0), where));
  return manifest;
}

Result<void> read_one(files::TarReader& tar,
                      const BackupFile& file,
                      const fs::path& path,
                      const TakeFile& take) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::invalid, fmt::format("{}: {} {}", path.string(), file.name, why));
  };
  TAPAL_TRY(const auto entry, tar.next());
  if (!entry) return refuse("and what comes after it are missing: the backup is cut off");
  if (entry->name != file.name || entry->bytes != file.bytes)
    return refuse(fmt::format("is not where the manifest has it; there is {} of {} bytes",
                              text::printable(entry->name, 200),
                              entry->bytes));
  const auto buffer = std::make_unique<std::array<char, piece_bytes>>();
  crypto::Sha256 hash;
  for (;;) {
    TAPAL_TRY(const auto count, tar.read(*buffer));
    if (count == 0) break;
    const std::string_view piece(buffer->data(), count);
    hash.update(piece);
    TAPAL_CHECK(take(file, piece));
  }
  if (hash.finish() != file.hash) return refuse("is not as it was saved: its SHA-256 is another");
  return take(file, {});
}

Result<BackupManifest> read_backup(const fs::path& path, const TakeFile& take) {
  TAPAL_TRY(const auto tar, files::TarReader::open(path));
  TAPAL_TRY(auto manifest, read_manifest(*tar, path));
  for (const auto& file : manifest.files) {
    TAPAL_CHECK(read_one(*tar, file, path, take));
  }
  TAPAL_TRY(const auto more, tar->next());
  if (more)
    return fail(
        Code::invalid,
        fmt::format(
            "{}: {} is not in the manifest", path.string(), text::printable(more->name, 200)));
  return manifest;
}

// The files of the state, one after the other.
class StateUnpacker {
 public:
  explicit StateUnpacker(fs::path state) : state_(std::move(state)) {}

  Result<void> take(const BackupFile& file, std::string_view piece) {
    if (!is_of_the_state(file.name)) return {};
    if (!open_) {
      TAPAL_CHECK(begin(file));
    }
    if (!piece.empty()) return files::write_all(open_, piece, path_);
    if (!open_.close()) return std::unexpected(files::system_error("write", path_, errno));
    return {};
  }

 private:
  Result<void> begin(const BackupFile& file) {
    path_ = state_ / file.name;
    TAPAL_CHECK(files::create_folder(path_.parent_path(), 0700));
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    open_ = files::Descriptor(::open(path_.c_str(), flags, 0600));
    if (!open_) return std::unexpected(files::system_error("create", path_, errno));
    return files::follow_owner(open_, path_);
  }

  fs::path state_;
  fs::path path_;
  files::Descriptor open_{-1};
};

bool is_config(const BackupFile& file) {
  return file.name.starts_with(upkeep::config_prefix) || file.name == upkeep::sealed_config_name;
}

// Hooks are programs, and a tar for one owner has no use for other rights.
mode_t mode_of(std::string_view bytes) {
  return bytes.starts_with("#!") || bytes.starts_with(
                                        "\x7f"
                                        "ELF")
             ? 0700
             : 0600;
}

}  // namespace

bool CheckedBackup::is_sealed() const {
  return config.size() == 1 && config.front().path == upkeep::sealed_config_name;
}

Result<CheckedBackup> check_backup(const fs::path& path) {
  CheckedBackup backup;
  std::string bytes;
  std::size_t all_bytes = 0;
  const auto take = [&](const BackupFile& file, std::string_view piece) -> Result<void> {
    if (!is_config(file)) return {};
    if (!piece.empty()) {
      all_bytes += piece.size();
      if (all_bytes > config_bytes_max)
        return fail(
            Code::invalid,
            fmt::format(
                "{}: the configuration is more than {} bytes", path.string(), config_bytes_max));
      bytes += piece;
      return {};
    }
    auto name = file.name == upkeep::sealed_config_name
                    ? file.name
                    : file.name.substr(upkeep::config_prefix.size());
    backup.config.push_back({std::move(name), std::exchange(bytes, {})});
    return {};
  };
  TAPAL_TRY(backup.manifest, read_backup(path, take));
  return backup;
}

Result<std::vector<upkeep::ArchivedFile>> open_config(CheckedBackup backup,
                                                      std::string_view passphrase) {
  if (!backup.is_sealed()) return std::move(backup.config);
  TAPAL_TRY(auto opened, crypto::open_sealed(passphrase, backup.config.front().bytes));
  auto files = upkeep::unpack(opened.bytes);
  crypto::wipe(opened.bytes);
  return files;
}

Result<void> write_config(const std::vector<upkeep::ArchivedFile>& files, const fs::path& folder) {
  const auto write = [&](const upkeep::ArchivedFile& file) -> Result<void> {
    const auto path = folder / file.path;
    TAPAL_CHECK(files::create_folder(path.parent_path(), 0700));
    return files::write_atomically(path, file.bytes, mode_of(file.bytes));
  };
  TAPAL_CHECK(files::create_folder(folder, 0700));
  const auto settings = std::ranges::find(files, settings_file_name, &upkeep::ArchivedFile::path);
  for (auto file = files.begin(); file != files.end(); ++file) {
    if (file == settings) continue;
    TAPAL_CHECK(write(*file));
  }
  return settings == files.end() ? Result<void>() : write(*settings);
}

Result<void> unpack_state(const fs::path& path, const fs::path& state) {
  StateUnpacker unpacker(state);
  TAPAL_CHECK(files::create_folder(state, 0700));
  TAPAL_CHECK(
      read_backup(path, [&](const auto& file, auto piece) { return unpacker.take(file, piece); }));
  return files::sync_disk_of(state);
}

}  // namespace tapal::app
