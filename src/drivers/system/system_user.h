// Users of this machine: by name, whose rights programs get; by number, who left us mail.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace tapal {

struct SystemUser {
  uid_t id = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // all of them
};

// Code::not_found when there is none; internal when the system cannot tell.
Result<SystemUser> find_system_user(const std::string& name);

struct SystemUserName {
  std::string login;
  std::string full_name;  // as its entry has it, or empty
};
// "uid1234" where the system knows no name.
SystemUserName name_of_system_user(uid_t id);

}  // namespace tapal
