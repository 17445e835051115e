// Other programs as child processes, each in a session and process group of its own, waited for on
// worker threads: no loop stands still for them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "drivers/system/system_user.h"
#include "ports/programs.h"
#include "ports/workers.h"

namespace tapal {

// Whose rights programs get: by default those of this process.
struct ProgramRights {
  std::optional<SystemUser> user;  // takes root's rights to give
  std::string refusal;             // why none is run (Code::denied); empty: they are
};

// A program starts in "/" with only the descriptors 0 to 2, no signal blocked or ignored, and the
// given environment.
class ProgramRunner final : public Programs {
 public:
  // Programs at once: as many as `workers`, which must outlive this object, has threads. Making one
  // sets SIGPIPE to be ignored and SIGCHLD not to be, for the whole process.
  explicit ProgramRunner(Workers& workers, ProgramRights rights = {});
  ~ProgramRunner() override;

  Task<Result<ProgramEnd>> run(Loop& loop, ProgramRun run) override;
  void stop() override;

 private:
  struct StopSign;  // readable for all who wait, once it is up
  Workers& workers_;
  ProgramRights rights_;
  std::unique_ptr<StopSign> stop_sign_;
};

}  // namespace tapal
