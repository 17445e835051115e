#include "app/backup/restore.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/password_input.h"
#include "app/commands/commands.h"
#include "values/crypto/hash.h"
#include "values/text/date.h"

namespace tapal::app {
namespace {

struct RestoreCommand {
  std::string file;
  std::string state;
  PasswordSource passphrase;
  bool replace = false;
  bool deliver = false;
};

Result<Restored> restore(const CommonOptions& common, const RestoreCommand& command) {
  TAPAL_TRY(auto backup, check_backup(command.file));
  RestoreOptions options{command.file, common.config, command.state, {}};
  if (backup.is_sealed()) {
    TAPAL_TRY(options.passphrase, read_password(command.passphrase, Ask::once));
  }
  if (command.replace) options.over = RestoreOver::what_is_there;
  if (command.deliver) options.mail = RestoredMail::delivered;
  auto restored = restore_backup(std::move(backup), options);
  crypto::wipe(options.passphrase);
  return restored;
}

void print(const Restored& restored, const std::filesystem::path& config) {
  fmt::print("restored     {} files into {}\n", restored.files, config.string());
  if (!restored.manifest.spool_version) return;
  fmt::print("restored     the queue of {} into {}\n",
             text::rfc3339_date(restored.manifest.made),
             restored.state.string());
  if (restored.recipients_held > 0)
    fmt::print(
        "held         {} recipients: what the old server delivered after the backup would be "
        "sent again; `tapal queue list` shows them, `tapal queue release` lets them go\n",
        restored.recipients_held);
  fmt::print("next         tapal config check, tapal doctor, and start the server\n");
}

int run_restore(const CommonOptions& common, const RestoreCommand& command) {
  const auto restored = restore(common, command);
  if (!restored) return tell(restored.error());
  if (common.output == Output::json)
    print_json({{"made", text::rfc3339_date(restored->manifest.made)},
                {"purpose", text_of(restored->manifest.purpose)},
                {"config", common.config.string()},
                {"files", restored->files},
                {"state", restored->state.string()},
                {"spool", restored->manifest.spool_version.has_value()},
                {"recipients_held", restored->recipients_held}});
  else
    print(*restored, common.config);
  return exit_done;
}

}  // namespace

void declare_restore(const Command& tapal) {
  const auto restore = tapal.add("restore",
                                 "put a backup that `tapal backup save` made into empty folders",
                                 "restore tapal-monday.tar --state /var/lib/tapal");
  auto command = std::make_shared<RestoreCommand>();
  restore.text({"file", "the backup", true}, command->file);
  restore.text({"--state", "the state folder; default: as the restored settings have it"},
               command->state);
  restore.text({"--passphrase-file", "the passphrase of a sealed backup; default: asked for"},
               command->passphrase.file);
  restore.flag({"--replace", "put aside what is there, into folders replaced-TIME"},
               command->replace);
  restore.flag({"--deliver",
                "deliver at once; default: mail of a server that went on after the backup is held"},
               command->deliver);
  restore.runs([command](const auto& common) { return run_restore(common, *command); });
}

}  // namespace tapal::app
