// A user of this machine, by name: whose rights programs get.
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

}  // namespace tapal
