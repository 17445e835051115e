// The doctor's look and the backup.
#include <fmt/format.h>
#include <unistd.h>

#include "app/backup/config_backup.h"
#include "app/cli/once.h"
#include "app/cli/program_rights.h"
#include "app/doctor/look.h"
#include "app/up/up.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"

namespace tapal::app {
namespace {

Task<Result<BackupStatus>> back_up(NetLoop& loop, Programs& programs, const Up& up) {
  ConfigBackup backup(loop, programs, up.common.config);
  if (backup.is_there()) {
    TAPAL_CO_CHECK(co_await backup.commit("tapal up " + up.domain));
  } else {
    TAPAL_CO_CHECK(co_await backup.init(SecretsInBackup::out, ""));
  }
  TAPAL_CO_CHECK(co_await backup.push());
  co_return co_await backup.status();
}

std::string_view kept_of_secrets(SecretsInBackup secrets) {
  switch (secrets) {
    case SecretsInBackup::out: return "keys and passwords kept out";
    case SecretsInBackup::encrypted: return "keys and passwords sealed";
    case SecretsInBackup::plain: break;
  }
  return "with keys and passwords";
}

}  // namespace

Result<void> up_doctor(Up& up) {
  if (up.only_plans()) {
    up.report.tell(Mark::planned, fmt::format("`tapal doctor {}`", up.domain));
    return {};
  }
  TAPAL_TRY(const auto look, DoctorLook::prepare(up.common, ""));
  TAPAL_TRY(const auto findings, look->examine({up.common.config, up.domain, up.addresses}, {}));
  std::size_t fine = 0;
  for (const auto& finding : findings) {
    if (finding.severity <= provision::Severity::info) {
      ++fine;
      continue;
    }
    up.report.tell(finding);
  }
  up.report.tell(Mark::fine, fmt::format("{} checks are fine", fine));
  return {};
}

Result<void> up_backup(Up& up) {
  if (up.only_plans()) {
    up.report.tell(Mark::planned, "the configuration folder as a git repository");
    return {};
  }
  const bool was_there = ConfigBackup::is_there(up.common.config);
  WorkerPool workers({.threads = 1});
  ProgramRunner programs(workers, git_rights(up.common.config));
  const auto work = [&](NetLoop& loop) { return back_up(loop, programs, up); };
  const auto status = run_once<Result<BackupStatus>>(work);
  if (!status) {
    up.report.tell(Mark::trouble, "the backup is not done: " + status.error().what);
    return {};
  }
  up.report.tell(was_there ? Mark::fine : Mark::changed,
                 fmt::format("the configuration is in git, {}; {}",
                             kept_of_secrets(status->secrets),
                             status->remote.empty() ? "`tapal backup remote URL` sends it elsewhere"
                                                    : "all of it is at " + status->remote));
  return {};
}

}  // namespace tapal::app
