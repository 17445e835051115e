// tapal backup save and verify: the backup in one file.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/backup/save.h"
#include "app/backup/verify.h"
#include "app/cli/password_input.h"
#include "app/commands/commands.h"
#include "values/crypto/hash.h"
#include "values/text/date.h"

namespace tapal::app {
namespace {

namespace json = boost::json;

struct ArchiveOptions {
  std::string file;
  std::string keys = "plain";
  PasswordSource passphrase;
  bool move = false;
};

std::uint64_t bytes_of(const upkeep::BackupManifest& manifest) {
  std::uint64_t bytes = 0;
  for (const auto& file : manifest.files) bytes += file.bytes;
  return bytes;
}

json::object to_json(const upkeep::BackupManifest& manifest) {
  json::object shown{{"made", text::rfc3339_date(manifest.made)},
                     {"made_by", manifest.made_by},
                     {"purpose", text_of(manifest.purpose)},
                     {"files", manifest.files.size()},
                     {"bytes", bytes_of(manifest)},
                     {"configuration_version", manifest.config_version},
                     {"spool_version", nullptr}};
  if (manifest.spool_version) shown["spool_version"] = *manifest.spool_version;
  return shown;
}

Result<SavedBackup> save(const CommonOptions& common, const ArchiveOptions& options) {
  SaveOptions wanted{options.file, {}};
  if (options.move) wanted.purpose = upkeep::BackupPurpose::move;
  if (options.keys == "encrypted") {
    TAPAL_TRY(wanted.passphrase, read_password(options.passphrase, Ask::twice));
  }
  auto saved = save_backup(common.config, wanted);
  crypto::wipe(wanted.passphrase);
  return saved;
}

int run_save(const CommonOptions& common, const ArchiveOptions& options) {
  const auto saved = save(common, options);
  if (!saved) return tell(saved.error());
  if (common.output == Output::json) {
    auto shown = to_json(saved->manifest);
    shown["file"] = options.file;
    shown["left_out"] = json_list(saved->left_out);
    print_json(shown);
    return exit_done;
  }
  fmt::print("{}: {} files, {} bytes{}\n",
             options.file,
             saved->manifest.files.size(),
             bytes_of(saved->manifest),
             saved->manifest.spool_version ? "" : "; there is no queue yet");
  for (const auto& path : saved->left_out)
    fmt::print("left out     {}: neither a file nor a link to one\n", path);
  if (options.move) fmt::print("closed       no server starts on this queue any more\n");
  return exit_done;
}

Result<VerifiedBackup> verify(const ArchiveOptions& options) {
  TAPAL_TRY(auto backup, check_backup(options.file));
  std::string passphrase;
  if (backup.is_sealed()) {
    TAPAL_TRY(passphrase, read_password(options.passphrase, Ask::once));
  }
  auto verified = verify_backup(options.file, std::move(backup), passphrase);
  crypto::wipe(passphrase);
  return verified;
}

int run_verify(const CommonOptions& common, const ArchiveOptions& options) {
  const auto verified = verify(options);
  if (!verified) return tell(verified.error());
  const auto& [manifest, spool, problems] = *verified;
  if (common.output == Output::json) {
    auto shown = to_json(manifest);
    shown["messages"] = spool.messages;
    shown["recipients_waiting"] = spool.recipients_waiting;
    shown["problems"] = json_list(problems);
    print_json(shown);
  } else {
    fmt::print("made         {} by tapal {}{}\n",
               text::rfc3339_date(manifest.made),
               manifest.made_by,
               manifest.purpose == upkeep::BackupPurpose::move ? ", to move the server" : "");
    fmt::print("files        {}, {} bytes, all as they were saved\n",
               manifest.files.size(),
               bytes_of(manifest));
    fmt::print("messages     {}, {} recipients wait\n", spool.messages, spool.recipients_waiting);
    for (const auto& problem : problems) fmt::print("problem      {}\n", problem);
  }
  return problems.empty() ? exit_done : exit_failed;
}

}  // namespace

void declare_backup_archive(const Command& backup) {
  auto options = std::make_shared<ArchiveOptions>();
  const Argument file{"file", "the backup, a tar file", true};
  const Argument passphrase{"--passphrase-file", "the passphrase; default: asked for"};

  const auto save = backup.add("save",
                               "configuration and queue into one file, while the server runs",
                               "backup save /var/backups/tapal-monday.tar");
  save.text(file, options->file);
  save.text(
      {"--keys",
       "plain (default): the file is as secret as the server; encrypted: the configuration is "
       "sealed under a passphrase, mail is not",
       false,
       {},
       {"plain", "encrypted"}},
      options->keys);
  save.text(passphrase, options->passphrase.file);
  save.flag({"--move", "to another machine: the server is stopped, and does not start here again"},
            options->move);
  save.runs([options](const auto& common) { return run_save(common, *options); });

  const auto verify = backup.add("verify",
                                 "whether a file is whole, can be read, and what is in it; unpacks "
                                 "it below $TMPDIR",
                                 "backup verify /var/backups/tapal-monday.tar");
  verify.text(file, options->file);
  verify.text(passphrase, options->passphrase.file);
  verify.runs([options](const auto& common) { return run_verify(common, *options); });
}

}  // namespace tapal::app
