// Mail that programs of this machine hand to `tapal sendmail`: the drop folder, watched, and what
// takes it in.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/task.h"
#include "drivers/files/drop_folder.h"
#include "drivers/files/folder_watch.h"
#include "services/intake/drop_intake.h"

namespace tapal::app {

// Where mail is left: every user may put files there, and nobody but the server can list them.
// Beside the state folder, which only the server enters; a server with a state folder of its own
// must not take the first one's mail.
std::filesystem::path drop_folder(const std::filesystem::path& state_folder);

class Drops {
 public:
  // What `session` and `workers` refer to must outlive it.
  Drops(const intake::SessionWorld& session, Workers& workers, std::filesystem::path folder);

  // On the session's loop. Where there can be no folder, the log says why and mail goes on.
  void start();
  Task<void> stop();

 private:
  intake::Options options_;
  intake::SessionWorld session_;
  Workers& workers_;
  std::filesystem::path path_;
  std::optional<files::LocalDropFolder> folder_;
  std::unique_ptr<intake::DropIntake> intake_;
  std::unique_ptr<files::FolderWatch> watch_;
  TaskGroup tasks_;
};

}  // namespace tapal::app
