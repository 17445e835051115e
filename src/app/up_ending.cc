// The doctor's look and the backup.
#include <fmt/format.h>
#include <unistd.h>

#include "app/config_backup.h"
#include "app/doctor_look.h"
#include "app/once.h"
#include "app/program_rights.h"
#include "app/up.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"

namespace tapal::app {
namespace {

Task<Result<bool>> back_up(NetLoop& loop, Programs& programs, const Up& up) {
  ConfigBackup backup(loop, programs, up.common.config);
  if (ConfigBackup::is_there(up.common.config)) co_return co_await backup.commit("up " + up.domain);
  TAPAL_CO_CHECK(co_await backup.init(SecretsInBackup::out, ""));
  co_return true;
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
    up.report.tell(finding.severity == provision::Severity::error ? Mark::trouble : Mark::by_hand,
                   fmt::format("{} ({}): {}{}",
                               finding.id,
                               finding.subject,
                               finding.seen,
                               finding.fix.empty() ? "" : "\n" + finding.fix));
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
  ProgramRunner programs(workers, rights_of_owner(up.common.config, ::geteuid()));
  const auto work = [&](NetLoop& loop) { return back_up(loop, programs, up); };
  const auto changed = run_once<Result<bool>>(work);
  if (!changed) {
    up.report.tell(Mark::trouble, "no backup: " + changed.error().what);
    return {};
  }
  up.report.tell(
      was_there ? Mark::fine : Mark::changed,
      "the configuration is in git, keys and passwords kept out; `tapal backup remote URL` "
      "sends it elsewhere");
  return {};
}

}  // namespace tapal::app
