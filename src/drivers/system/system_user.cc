#include "drivers/system/system_user.h"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

namespace tapal {

namespace {
constexpr std::size_t record_bytes_max = 64UL * 1024;
}  // namespace

Result<SystemUser> find_system_user(const std::string& name) {
  constexpr int groups_max = 65'536;  // as the kernel has it
  std::vector<char> buffer(record_bytes_max);
  passwd record{};
  passwd* found = nullptr;
  const int failed = ::getpwnam_r(name.c_str(), &record, buffer.data(), buffer.size(), &found);
  if (failed != 0)
    return fail(Code::internal,
                fmt::format("cannot look up the user {}: {}",
                            name,
                            std::strerror(failed)));  // NOLINT(concurrency-mt-unsafe)
  if (found == nullptr)
    return fail(Code::not_found, fmt::format("this machine has no user {}", name));
  SystemUser user{record.pw_uid, record.pw_gid, {}};
  int count = 64;
  do user.groups.resize(static_cast<std::size_t>(count));
  while (::getgrouplist(name.c_str(), user.group, user.groups.data(), &count) < 0 &&
         count > static_cast<int>(user.groups.size()) && count <= groups_max);
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

SystemUserName name_of_system_user(uid_t id) {
  std::vector<char> buffer(record_bytes_max);
  passwd record{};
  passwd* found = nullptr;
  if (::getpwuid_r(id, &record, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return {fmt::format("uid{}", id), {}};
  const std::string_view entry = record.pw_gecos == nullptr ? "" : record.pw_gecos;
  return {record.pw_name, std::string(entry.substr(0, entry.find(',')))};
}

}  // namespace tapal
