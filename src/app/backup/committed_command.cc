#include "app/backup/committed_command.h"

#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "app/backup/config_backup.h"
#include "app/cli/once.h"
#include "app/cli/program_rights.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"

namespace tapal::app {
namespace {

Task<Result<void>> commit_and_push(Loop& loop,
                                   Programs& programs,
                                   std::filesystem::path config,
                                   std::string message) {
  ConfigBackup backup(loop, programs, config);
  auto committed = co_await backup.commit(std::move(message));
  if (!committed) co_return std::unexpected(std::move(committed.error()));
  if (!*committed) co_return Result<void>();
  auto pushed = co_await backup.push();
  if (!pushed)
    co_return fail(Code::try_later,
                   fmt::format("committed, but not pushed; a running server tries again daily, and "
                               "`tapal backup now` at once: {}",
                               pushed.error().what));
  co_return Result<void>();
}

void commit_now(const CommonOptions& common, const std::string& message) {
  WorkerPool workers({.threads = 1, .waiting_max = 8, .name = "git"});
  ProgramRunner programs(workers, git_rights(common.config));
  const auto done = run_once<Result<void>>(
      [&](NetLoop& loop) { return commit_and_push(loop, programs, common.config, message); });
  if (!done) fmt::print(stderr, "tapal: backup: {}\n", done.error().what);
}

}  // namespace

int run_and_commit(const CommonOptions& common, const std::string& name, const Command::Run& run) {
  if (ConfigBackup::is_there(common.config)) commit_now(common, "edited by hand");
  const int code = run(common);
  if (ConfigBackup::is_there(common.config)) commit_now(common, name);
  return code;
}

}  // namespace tapal::app
