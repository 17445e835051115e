// Writing a backup; reading.cc reads one.
#include "app/backup/archive.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>

#include "app/backup/config_files.h"
#include "app/settings/folder_version.h"
#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/files/tar_file.h"
#include "drivers/system/clock.h"
#include "values/crypto/sealed.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;
using upkeep::BackupFile;

// A file of the backup, and where it is: in memory, or on the disk, where it is read twice.
struct Source {
  BackupFile file;
  std::string bytes;
  fs::path path;  // empty: `bytes`
};

using TakePiece = std::function<Result<void>(std::string_view)>;

// Its first `bytes_max` bytes; how many there were.
Result<std::uint64_t> read_pieces(const fs::path& path,
                                  std::uint64_t bytes_max,
                                  const TakePiece& take) {
  const files::Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return std::unexpected(files::system_error("open", path, errno));
  const auto buffer = std::make_unique<std::array<char, piece_bytes>>();
  std::uint64_t done = 0;
  while (done < bytes_max) {
    const auto wanted = std::min<std::uint64_t>(buffer->size(), bytes_max - done);
    const auto count = ::read(file.number(), buffer->data(), wanted);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(files::system_error("read", path, errno));
    if (count == 0) break;
    TAPAL_CHECK(take({buffer->data(), static_cast<std::size_t>(count)}));
    done += static_cast<std::uint64_t>(count);
  }
  return done;
}

Source in_memory(std::string name, std::string bytes) {
  const auto hash = crypto::sha256(bytes);
  return {{std::move(name), bytes.size(), hash}, std::move(bytes), {}};
}

Result<Source> on_disk(std::string name, const fs::path& path) {
  crypto::Sha256 hash;
  TAPAL_TRY(const auto bytes, read_pieces(path, INT64_MAX, [&](auto piece) -> Result<void> {
              hash.update(piece);
              return {};
            }));
  return Source{{std::move(name), bytes, hash.finish()}, {}, path};
}

Result<void> add_config(const BackupSource& from,
                        std::vector<Source>& sources,
                        SavedBackup& saved) {
  TAPAL_TRY(auto config, read_config_files(from.config));
  saved.left_out = std::move(config.left_out);
  if (from.passphrase.empty()) {
    for (auto& [path, bytes] : config.files)
      sources.push_back(in_memory(std::string(upkeep::config_prefix) + path, std::move(bytes)));
    return {};
  }
  TAPAL_TRY(const auto sealer, crypto::make_sealer(from.passphrase));
  auto packed = upkeep::pack(std::move(config.files));
  TAPAL_TRY(auto sealed, crypto::seal(sealer, packed));
  crypto::wipe(packed);
  sources.push_back(in_memory(std::string(upkeep::sealed_config_name), std::move(sealed)));
  return {};
}

// What is not the queue: locks, bodies not yet accepted, a checkpoint, the version, which is added.
bool is_of_the_queue(const fs::path& file) {
  const auto path = file.generic_string();
  return (path.starts_with("records/") && path != "records/LOCK") ||
         (path.starts_with("bodies/") && !path.starts_with("bodies/new/"));
}

Result<void> add_spool(const BackupSource& from, std::vector<Source>& sources) {
  const std::string prefix(upkeep::spool_prefix);
  if (from.spool_version > 0)
    sources.push_back(
        in_memory(prefix + std::string(version_file_name), version_text(from.spool_version)));
  std::error_code error;
  for (fs::recursive_directory_iterator at(from.spool, error), end; !error && at != end;
       at.increment(error)) {
    const auto file = at->path().lexically_relative(from.spool);
    std::error_code gone;
    if (!is_of_the_queue(file) || !fs::is_regular_file(at->symlink_status(gone))) continue;
    TAPAL_TRY(auto source, on_disk(prefix + file.generic_string(), at->path()));
    sources.push_back(std::move(source));
  }
  if (error)
    return fail(Code::internal,
                fmt::format("cannot look into {}: {}", from.spool.string(), error.message()));
  if (std::error_code none; fs::exists(from.marks, none)) {
    TAPAL_TRY(auto marks, files::read_file(from.marks));
    sources.push_back(in_memory(std::string(upkeep::marks_name), std::move(marks)));
  }
  return {};
}

// By it the next `tapal up` knows which records are its own.
Result<void> add_dns_changes(const fs::path& folder, std::vector<Source>& sources) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const auto name = entry.path().filename().string();
    if (!name.ends_with(".txt")) continue;  // what is just being written, and the lock
    TAPAL_TRY(auto text, files::read_file(entry.path()));
    sources.push_back(in_memory(std::string(upkeep::dns_changes_prefix) + name, std::move(text)));
  }
  return {};
}

Result<void> put(files::TarWriter& tar, const Source& source) {
  TAPAL_CHECK(tar.begin({source.file.name, source.file.bytes}));
  if (source.path.empty()) return tar.write(source.bytes);
  crypto::Sha256 hash;
  TAPAL_CHECK(read_pieces(source.path, source.file.bytes, [&](auto piece) -> Result<void> {
    hash.update(piece);
    return tar.write(piece);
  }));
  if (hash.finish() != source.file.hash)
    return fail(Code::internal, source.path.string() + " changed while it was saved");
  return {};
}

}  // namespace

bool is_of_the_state(std::string_view name) {
  return name.starts_with(upkeep::spool_prefix) || name.starts_with(upkeep::dns_changes_prefix) ||
         name == upkeep::marks_name;
}

Result<SavedBackup> write_backup(const fs::path& path, const BackupSource& from) {
  TAPAL_TRY(const auto tar, files::TarWriter::create(path));
  SavedBackup saved;
  auto& manifest = saved.manifest;
  manifest.made_by = TAPAL_VERSION;
  manifest.made = SystemClock().wall_now();
  manifest.purpose = from.purpose;
  TAPAL_TRY(manifest.config_version, read_version(from.config));
  if (!from.spool.empty()) manifest.spool_version = from.spool_version;
  std::vector<Source> sources;
  TAPAL_CHECK(add_config(from, sources, saved));
  if (!from.spool.empty()) {
    TAPAL_CHECK(add_spool(from, sources));
    TAPAL_CHECK(add_dns_changes(from.dns_changes, sources));
  }
  for (const auto& source : sources) manifest.files.push_back(source.file);
  TAPAL_CHECK(put(*tar, in_memory(std::string(upkeep::manifest_name), to_text(manifest))));
  for (const auto& source : sources) {
    TAPAL_CHECK(put(*tar, source));
  }
  TAPAL_CHECK(tar->finish());
  return saved;
}

}  // namespace tapal::app
