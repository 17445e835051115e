#include "app/backup/upgrade.h"

#include <fmt/format.h>

#include "app/backup/archive.h"
#include "app/backup/config_files.h"
#include "app/settings/folder_version.h"
#include "app/settings/settings.h"
#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/files/folder_lock.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;
using Nothing = std::optional<Upgrade>;

std::string kept_name(int to) { return fmt::format("{}{}", kept_copy_prefix, to); }

// Tables and bodies are written once; the rest goes on being written to, or is small.
bool changes_no_more(const fs::path& file) {
  return file.extension() == ".sst" || *file.begin() == "bodies";
}

Result<void> copy_entry(const fs::path& spool, const fs::path& file, const fs::path& to) {
  std::error_code error;
  if (fs::is_directory(spool / file, error))
    fs::create_directory(to / file, spool / file, error);
  else if (changes_no_more(file))
    fs::create_hard_link(spool / file, to / file, error);
  else
    fs::copy_file(spool / file, to / file, error);
  if (!error) return {};
  return std::unexpected(files::system_error("copy", spool / file, error.value()));
}

Result<void> copy_spool(const fs::path& spool, const fs::path& to) {
  auto part = to;
  part += ".part";
  std::error_code error;
  fs::remove_all(part, error);  // of an upgrade that was interrupted
  TAPAL_CHECK(files::create_folder(part, 0700));
  for (fs::recursive_directory_iterator at(spool, error), end; !error && at != end;
       at.increment(error)) {
    const auto file = at->path().lexically_relative(spool);
    if (*file.begin() != "records" && *file.begin() != "bodies") {
      if (at->is_directory()) at.disable_recursion_pending();
      continue;
    }
    TAPAL_CHECK(copy_entry(spool, file, part));
  }
  if (error) return std::unexpected(files::system_error("copy", spool, error.value()));
  TAPAL_CHECK(files::sync_disk_of(part));
  fs::rename(part, to, error);
  if (error) return std::unexpected(files::system_error("make", to, error.value()));
  return files::sync_folder(to.parent_path());
}

}  // namespace

// From version 0 to 1 nothing changes but that the version is written down: no step stands between
// the copy and write_version().

Result<std::optional<Upgrade>> upgrade_config(const fs::path& config) {
  std::error_code none;
  if (!fs::exists(config / settings_file_name, none)) return Nothing();
  TAPAL_TRY(const auto version, read_version(config));
  TAPAL_CHECK(check_version(config_form, version, config.string()));
  if (version == config_form.version) return Nothing();
  const auto kept = config / (kept_name(config_form.version) + ".tar");
  if (!fs::exists(kept, none)) {
    const auto saved = write_backup(kept, {.config = config, .passphrase = {}});
    // Whoever keeps the folder read-only changes it himself; version 0 can be used as it is.
    if (!saved && saved.error().code == Code::denied) return Nothing();
    if (!saved) return std::unexpected(saved.error());
  }
  TAPAL_CHECK(write_version(config, config_form.version));
  return Upgrade{config_form.what, version, config_form.version, kept};
}

Result<std::optional<Upgrade>> upgrade_spool(const fs::path& spool, Before before) {
  TAPAL_TRY(const auto version, read_version(spool));
  TAPAL_CHECK(check_version(spool_form, version, spool.string()));
  if (version == spool_form.version) return Nothing();
  TAPAL_TRY(const auto lock, files::FolderLock::take(spool, "uses the spool"));
  std::error_code none;
  if (!fs::exists(spool / "records" / "CURRENT", none)) {
    TAPAL_CHECK(write_version(spool, spool_form.version));
    return Nothing();
  }
  auto kept = spool;
  kept += "." + kept_name(spool_form.version);
  if (before == Before::is_kept && !fs::exists(kept, none)) {
    TAPAL_CHECK(copy_spool(spool, kept));
  }
  TAPAL_CHECK(write_version(spool, spool_form.version));
  return Upgrade{spool_form.what, version, spool_form.version, kept};
}

void tell(Log& log, const Upgrade& upgrade) {
  log.write(Level::info,
            "upgraded",
            {{"what", std::string(upgrade.what)},
             {"from_version", std::to_string(upgrade.from)},
             {"to_version", std::to_string(upgrade.to)},
             {"kept_before", upgrade.kept.string()}});
}

}  // namespace tapal::app
