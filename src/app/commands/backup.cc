#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/backup/config_backup.h"
#include "app/cli/once.h"
#include "app/cli/password_input.h"
#include "app/cli/program_rights.h"
#include "app/commands/commands.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"
#include "values/crypto/hash.h"

namespace tapal::app {
namespace {

namespace json = boost::json;

struct BackupOptions {
  std::string keys;  // empty: as it is, "out" for a new one
  std::string url;
  PasswordSource passphrase;
  bool replace = false;
};

using Done = Result<BackupStatus>;
using Work = Task<Done> (*)(ConfigBackup&, const BackupOptions&);

Result<void> check_is_there(const CommonOptions& common) {
  if (ConfigBackup::is_there(common.config)) return {};
  return fail(
      Code::not_found,
      fmt::format("{} is no backup yet; `tapal backup init` makes it one", common.config.string()));
}

json::object to_json(const BackupStatus& status) {
  return {{"keys", text_of(status.secrets)},
          {"remote", status.remote},
          {"commit", status.last.hash},
          {"committed", status.last.time},
          {"message", status.last.message},
          {"not_pushed", status.not_pushed},
          {"changed", json::array(status.changed.begin(), status.changed.end())},
          {"secret", json::array(status.secret.begin(), status.secret.end())},
          {"trouble", status.sealer_trouble}};
}

void print(const BackupStatus& status) {
  const bool is_new = status.last.hash.empty();
  fmt::print("last commit  {}\n",
             is_new ? "none"
                    : fmt::format("{} {} ({})",
                                  status.last.hash.substr(0, 12),
                                  status.last.time,
                                  status.last.message));
  if (status.remote.empty()) {
    fmt::print("remote       none: `tapal backup remote URL` names one\n");
  } else {
    fmt::print("remote       {} ({} commits not pushed)\n", status.remote, status.not_pushed);
  }
  for (const auto& file : status.changed) fmt::print("changed      {}\n", file);
  if (status.secrets == SecretsInBackup::plain) {
    fmt::print("keys         in the backup, in the clear\n");
  } else {
    fmt::print("keys         {} files {}\n",
               status.secret.size(),
               status.secrets == SecretsInBackup::out
                   ? "kept out of the backup (keys, users, credentials); `tapal backup init --keys "
                     "encrypted` takes them in under a passphrase"
                   : "sealed in keys.sealed; `tapal backup restore-keys` opens it");
  }
  if (!status.sealer_trouble.empty()) fmt::print("trouble      {}\n", status.sealer_trouble);
}

Task<Done> make(ConfigBackup& backup, const BackupOptions& options) {
  auto secrets = SecretsInBackup::out;
  if (options.keys == "encrypted") secrets = SecretsInBackup::encrypted;
  if (options.keys == "plain") secrets = SecretsInBackup::plain;
  std::string passphrase;
  if (secrets == SecretsInBackup::encrypted) {
    TAPAL_CO_TRY(passphrase, read_password(options.passphrase, Ask::twice));
  }
  auto made = co_await backup.init(secrets, std::move(passphrase));
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return co_await backup.status();
}

Task<Done> commit_now(ConfigBackup& backup, const BackupOptions&) {
  auto committed = co_await backup.commit("tapal backup now");
  if (!committed) co_return std::unexpected(std::move(committed.error()));
  auto pushed = co_await backup.push();
  if (!pushed) co_return std::unexpected(std::move(pushed.error()));
  co_return co_await backup.status();
}

Task<Done> name_remote(ConfigBackup& backup, const BackupOptions& options) {
  // A remote may be named first: the repository is then made with keys kept out.
  if (!backup.is_there()) {
    auto made = co_await backup.init(SecretsInBackup::out, std::string());
    if (!made) co_return std::unexpected(std::move(made.error()));
  }
  auto named = co_await backup.set_remote(options.url);
  if (!named) co_return std::unexpected(std::move(named.error()));
  co_return co_await commit_now(backup, options);
}

Task<Done> show(ConfigBackup& backup, const BackupOptions&) { co_return co_await backup.status(); }

Task<Done> work_on(Loop& loop,
                   Programs& programs,
                   std::filesystem::path config,
                   const BackupOptions& options,
                   Work work) {
  ConfigBackup backup(loop, programs, config);
  co_return co_await work(backup, options);
}

int run_backup(const CommonOptions& common, const BackupOptions& options, Work work) {
  WorkerPool workers({.threads = 1, .waiting_max = 8, .name = "git"});
  ProgramRunner programs(workers, git_rights(common.config));
  const auto done = run_once<Done>(
      [&](NetLoop& loop) { return work_on(loop, programs, common.config, options, work); });
  if (!done) return tell(done.error());
  if (common.output == Output::json) {
    print_json(to_json(*done));
  } else {
    print(*done);
  }
  return exit_done;
}

int run_existing(const CommonOptions& common, const BackupOptions& options, Work work) {
  if (const auto there = check_is_there(common); !there) return tell(there.error());
  return run_backup(common, options, work);
}

int run_init(const CommonOptions& common, BackupOptions options) {
  if (options.keys.empty()) options.keys = "out";
  return run_backup(common, options, make);
}

Result<std::vector<RestoredFile>> restore(const CommonOptions& common,
                                          const BackupOptions& options) {
  TAPAL_TRY(auto passphrase, read_password(options.passphrase, Ask::once));
  WorkerPool workers({.threads = 1, .waiting_max = 8, .name = "git"});
  ProgramRunner programs(workers, git_rights(common.config));
  NetLoop loop("command");
  const ConfigBackup backup(loop, programs, common.config);
  auto restored = backup.restore(passphrase, options.replace ? Restore::all : Restore::missing);
  crypto::wipe(passphrase);
  return restored;
}

std::string_view text_of(RestoredFile::Done done) {
  switch (done) {
    case RestoredFile::Done::written: return "restored";
    case RestoredFile::Done::same: return "same";
    case RestoredFile::Done::kept: return "kept";
  }
  return {};
}

int run_restore(const CommonOptions& common, const BackupOptions& options) {
  const auto restored = restore(common, options);
  if (!restored) return tell(restored.error());
  json::array list;
  for (const auto& [path, done] : *restored) {
    list.push_back({{"file", path}, {"done", text_of(done)}});
    if (common.output == Output::text)
      fmt::print("{:<9}{}{}\n",
                 text_of(done),
                 path,
                 done == RestoredFile::Done::kept ? " (differs; --replace writes over it)" : "");
  }
  if (common.output == Output::json) print_json({{"files", std::move(list)}});
  return exit_done;
}

}  // namespace

void declare_backup(const Command& tapal) {
  const auto backup =
      tapal.add_group("backup",
                      "the configuration in a git repository; configuration and queue in a file",
                      "backup status");
  auto options = std::make_shared<BackupOptions>();
  const Argument passphrase{"--passphrase-file",
                            "the passphrase of sealed keys; default: asked for"};

  const auto init = backup.add("init",
                               "make the repository, or change what happens to keys, users and "
                               "credentials: every command that changes the configuration commits",
                               "backup init --keys encrypted");
  init.text({"--keys",
             "out (default): they stay here alone; encrypted: sealed under a passphrase; plain: in "
             "the clear",
             false,
             {},
             {"out", "encrypted", "plain"}},
            options->keys);
  init.text(passphrase, options->passphrase.file);
  init.runs([options](const auto& common) { return run_init(common, *options); });

  const auto remote = backup.add("remote",
                                 "name the repository that commits are pushed to, and push",
                                 "backup remote git@git.example.org:me/mail.git");
  remote.text({"url", "as git takes it, without a password in it", true}, options->url);
  remote.runs([options](const auto& common) { return run_backup(common, *options, name_remote); });

  backup.add("now", "commit and push", "backup now").runs([options](const auto& common) {
    return run_existing(common, *options, commit_now);
  });
  backup.add("status", "what is committed, pushed and kept out", "backup status")
      .runs([options](const auto& common) { return run_existing(common, *options, show); });

  declare_backup_archive(backup);

  const auto restore = backup.add("restore-keys",
                                  "put what keys.sealed holds back into its place, after a clone",
                                  "backup restore-keys --passphrase-file phrase");
  restore.text(passphrase, options->passphrase.file);
  restore.flag({"--replace", "files that are there and differ, too"}, options->replace);
  restore.runs([options](const auto& common) { return run_restore(common, *options); });
}

}  // namespace tapal::app
