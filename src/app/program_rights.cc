#include "app/program_rights.h"

#include <utility>

#include <sys/stat.h>

namespace tapal::app {

Result<ProgramRights> program_rights(const std::string& user_name, uid_t ours) {
  constexpr uid_t root = 0;
  if (user_name.empty()) {
    if (ours != root) return ProgramRights();
    return ProgramRights{{},
                         "no program is run as root: name a user in programs.user (tapal.toml), or "
                         "start tapal as another user"};
  }
  auto user = find_system_user(user_name);
  if (!user) return fail(Code::invalid, "programs.user: " + user.error().what);
  if (user->id == ours) return ProgramRights();
  if (ours != root)
    return fail(Code::invalid,
                "programs.user: only root can run programs as " + user_name +
                    "; start tapal as root or as that user");
  return ProgramRights{*std::move(user), {}};
}

ProgramRights rights_of_owner(const std::filesystem::path& folder, uid_t ours) {
  struct stat facts{};
  if (ours != 0 || ::stat(folder.c_str(), &facts) != 0 || facts.st_uid == 0) return {};
  auto user = find_system_user(name_of_system_user(facts.st_uid).login);
  if (!user) return {{}, folder.string() + " belongs to nobody: " + user.error().what};
  return {*std::move(user), {}};
}

}  // namespace tapal::app
