#include "app/backup/restore.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/backup/closed_state.h"
#include "app/backup/config_files.h"
#include "app/backup/spool_contents.h"
#include "app/settings/edit.h"
#include "app/settings/folder_version.h"
#include "app/settings/settings.h"
#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/files/folder_lock.h"
#include "drivers/files/ownership.h"
#include "drivers/system/clock.h"
#include "values/text/hex.h"
#include "values/text/toml.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;
using Files = std::vector<upkeep::ArchivedFile>;

Result<void> clear_away(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return std::unexpected(files::system_error("remove", path, error.value()));
  return {};
}

// What root wrote in a folder of another user's.
Result<void> give_to_owner(const fs::path& written, const fs::path& folder) {
  std::error_code none;
  const auto owner = files::owner_to_follow(folder);
  return owner && fs::exists(written, none) ? files::give_folder(written, *owner) : Result<void>();
}

// Restoring one backup into one pair of folders.
class Restoring {
 public:
  Restoring(const RestoreOptions& options, const CheckedBackup& backup)
      : options_(options),
        config_(fs::absolute(options.config).lexically_normal()),
        mark_(fmt::format("backup {} into {}\n",
                          text::to_hex(crypto::bytes_of(crypto::sha256(to_text(backup.manifest)))),
                          config_.string())) {}

  Result<Restored> run(CheckedBackup backup);

 private:
  Result<void> find_state(Files& config);
  Result<void> make_room();
  Result<void> make_room_for_config() const;
  Result<void> restore_state(Restored& restored);
  Result<void> put_aside(const fs::path& folder, const std::vector<fs::path>& entries) const;
  std::vector<fs::path> in_the_way_of_config() const;
  std::vector<fs::path> in_the_way_of_state() const;
  fs::path dns_changes() const { return state_ / upkeep::dns_changes_name; }

  const RestoreOptions& options_;
  fs::path config_;
  fs::path state_;
  std::string mark_;  // of this restore, in the closed state folder
};

// Where the backup's settings have the state, or where it is told to be, which they then say.
Result<void> Restoring::find_state(Files& config) {
  const auto settings = std::ranges::find(config, settings_file_name, &upkeep::ArchivedFile::path);
  if (settings == config.end())
    return fail(Code::invalid,
                fmt::format("{} has no {}", options_.file.string(), settings_file_name));
  if (!options_.state.empty()) {
    state_ = fs::absolute(options_.state).lexically_normal();
    TAPAL_TRY(settings->bytes,
              with_setting(settings->bytes, "state_folder", text::toml_quoted(state_.string())));
    return {};
  }
  const auto parsed = parse_settings(settings->bytes, std::string(settings_file_name));
  if (!parsed.problems.empty()) return fail(Code::invalid, parsed.problems.front());
  state_ = (config_ / parsed.settings.state_folder).lexically_normal();
  return {};
}

std::vector<fs::path> Restoring::in_the_way_of_config() const {
  std::vector<fs::path> entries;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(config_, none)) {
    const auto name = entry.path().filename().string();
    const bool has_state = std::ranges::mismatch(entry.path(), state_).in1 == entry.path().end();
    if (!has_state && !name.starts_with(replaced_prefix) && !name.starts_with(kept_copy_prefix))
      entries.push_back(entry.path());
  }
  return entries;
}

// Mailboxes may be there already; a queue may not.
std::vector<fs::path> Restoring::in_the_way_of_state() const {
  std::vector<fs::path> entries;
  std::error_code none;
  for (const auto& entry :
       {state_ / closed_file_name, state_ / upkeep::marks_name, dns_changes(), state_ / "spool"}) {
    const bool is_there =
        entry.filename() == "spool" ? fs::exists(entry / "records", none) : fs::exists(entry, none);
    if (is_there) entries.push_back(entry);
  }
  return entries;
}

Result<void> Restoring::put_aside(const fs::path& folder,
                                  const std::vector<fs::path>& entries) const {
  if (entries.empty()) return {};
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(SystemClock().wall_now()).time_since_epoch();
  const auto aside = folder / fmt::format("{}{}", replaced_prefix, seconds.count());
  TAPAL_CHECK(files::create_folder(aside, 0700));
  for (const auto& entry : entries) {
    std::error_code error;
    fs::rename(entry, aside / entry.filename(), error);
    if (error) return std::unexpected(files::system_error("put aside", entry, error.value()));
  }
  return files::sync_folder(folder);
}

std::unexpected<Error> refusal(const fs::path& in_the_way) {
  return fail(Code::denied,
              fmt::format("{} is there already: restore into empty folders, or put what is there "
                          "aside with --replace",
                          in_the_way.string()));
}

// Afterwards there is no configuration and no queue, and the state folder is closed and bears this
// restore's mark.
Result<void> Restoring::make_room() {
  // A server that starts later finds the state folder closed.
  TAPAL_TRY(const auto lock, files::FolderLock::take(state_ / "spool", "uses the spool"));
  const auto closed = why_closed(state_);
  if (!closed || !closed->ends_with("\n" + mark_)) {
    TAPAL_CHECK(make_room_for_config());
    const auto in_the_way = in_the_way_of_state();
    if (options_.over == RestoreOver::nothing && !in_the_way.empty())
      return refusal(in_the_way.front());
    TAPAL_CHECK(put_aside(state_, in_the_way));
    TAPAL_CHECK(close_state(state_,
                            fmt::format("`tapal restore {}` is not finished; run it again\n{}",
                                        fs::absolute(options_.file).string(),
                                        mark_)));
  }
  TAPAL_CHECK(clear_away(state_ / upkeep::marks_name));
  TAPAL_CHECK(clear_away(dns_changes()));
  return clear_away(state_ / "spool");
}

Result<void> Restoring::make_room_for_config() const {
  const auto in_the_way = in_the_way_of_config();
  if (options_.over == RestoreOver::nothing && !in_the_way.empty())
    return refusal(in_the_way.front());
  return put_aside(config_, in_the_way);
}

Result<void> Restoring::restore_state(Restored& restored) {
  TAPAL_CHECK(make_room());
  TAPAL_CHECK(unpack_state(options_.file, state_));
  const bool went_on = restored.manifest.purpose == upkeep::BackupPurpose::copy;
  if (went_on && options_.mail == RestoredMail::held_unless_moved) {
    TAPAL_TRY(restored.recipients_held, hold_spool(state_ / "spool"));
  }
  TAPAL_CHECK(give_to_owner(dns_changes(), state_));
  return give_to_owner(state_ / "spool", state_);
}

Result<Restored> Restoring::run(CheckedBackup backup) {
  Restored restored{.manifest = backup.manifest};
  TAPAL_TRY(auto config, open_config(std::move(backup), options_.passphrase));
  TAPAL_CHECK(find_state(config));
  const bool has_spool = restored.manifest.spool_version.has_value();
  TAPAL_CHECK(has_spool ? restore_state(restored) : make_room_for_config());
  TAPAL_CHECK(write_config(config, config_));
  TAPAL_CHECK(give_to_owner(config_, config_));
  if (has_spool) {
    TAPAL_CHECK(open_state(state_));
  }
  restored.state = state_;
  restored.files = config.size();
  return restored;
}

}  // namespace

Result<Restored> restore_backup(CheckedBackup backup, const RestoreOptions& options) {
  Restoring restoring(options, backup);
  return restoring.run(std::move(backup));
}

}  // namespace tapal::app
