#include "app/backup/save.h"

#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/backup/closed_state.h"
#include "app/cli/control_client.h"
#include "app/settings/folder_version.h"
#include "app/settings/settings.h"
#include "drivers/files/folder_lock.h"
#include "values/text/json_fields.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using files::FolderLock;

// The folder of a checkpoint that a running server made; nothing: none runs.
Result<std::optional<fs::path>> ask_for_checkpoint(const Settings& settings) {
  const auto answer = ask_server(settings.control_socket(), R"({"command":"checkpoint"})");
  if (!answer && answer.error().code == Code::not_found) return std::optional<fs::path>();
  if (!answer) return std::unexpected(answer.error());
  const auto object = text::parse_object(*answer);
  if (!object) return fail(Code::internal, "the server's answer cannot be understood");
  if (const auto* result = text::object_at(*object, "result"))
    return fs::path(text::text_at(*result, "folder"));
  return fail(Code::internal, "the server made no checkpoint: " + text::text_at(*object, "error"));
}

std::string moved_text(const SaveOptions& options, const fs::path& state) {
  return fmt::format(
      "its queue was moved away, into {}; remove {} if it shall be worked off here after all\n",
      fs::absolute(options.file).string(),
      (state / closed_file_name).string());
}

Result<SavedBackup> move_away(const BackupSource& source,
                              const SaveOptions& options,
                              const fs::path& state) {
  TAPAL_CHECK(close_state(state, moved_text(options, state)));
  auto saved = write_backup(options.file, source);
  if (!saved) {
    TAPAL_CHECK(open_state(state));
  }
  return saved;
}

// Without a server the spool is read as it lies there, under its lock.
Result<SavedBackup> save_at_rest(const BackupSource& source,
                                 const SaveOptions& options,
                                 const fs::path& state) {
  const bool moves = options.purpose == upkeep::BackupPurpose::move;
  const auto lock = FolderLock::take(source.spool, "uses the spool");
  if (!lock && lock.error().code == Code::denied && moves)
    return fail(Code::denied,
                "the server runs: what it delivers from now on would be sent again at the new "
                "place; stop it first, for instance by `systemctl stop tapal.socket tapal`");
  if (!lock) return std::unexpected(lock.error());
  TAPAL_CHECK(check_state_is_open(state));  // or what is half would be saved as whole
  return moves ? move_away(source, options, state) : write_backup(options.file, source);
}

Result<SavedBackup> save_running(const BackupSource& source, const SaveOptions& options) {
  auto saved = write_backup(options.file, source);
  std::error_code ignored;  // the next checkpoint removes it, too
  fs::remove_all(source.spool, ignored);
  return saved;
}

}  // namespace

Result<SavedBackup> save_backup(const fs::path& config, const SaveOptions& options) {
  TAPAL_TRY(const auto settings, load_settings(config));
  const fs::path state = settings.state_folder;
  BackupSource source{.config = config,
                      .passphrase = options.passphrase,
                      .marks = state / upkeep::marks_name,
                      .dns_changes = state / upkeep::dns_changes_name,
                      .purpose = options.purpose};
  std::error_code none;
  const fs::path spool = settings.spool.folder;
  if (!fs::exists(spool / "records", none)) return write_backup(options.file, source);
  TAPAL_TRY(source.spool_version, read_version(spool));
  TAPAL_TRY(const auto lock,
            FolderLock::take(fs::path(checkpoint_folder(settings.spool.folder)).parent_path(),
                             "saves a backup"));
  if (options.purpose == upkeep::BackupPurpose::copy) {
    TAPAL_TRY(const auto checkpoint, ask_for_checkpoint(settings));
    if (checkpoint) {
      source.spool = *checkpoint;
      return save_running(source, options);
    }
  }
  source.spool = spool;
  return save_at_rest(source, options, state);
}

}  // namespace tapal::app
