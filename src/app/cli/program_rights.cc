#include "app/cli/program_rights.h"

#include <utility>

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

}  // namespace tapal::app
