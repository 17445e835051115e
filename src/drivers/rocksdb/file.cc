#include "drivers/rocksdb/file.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace tapal::spool {

std::unexpected<Error> system_error(std::string_view doing, const std::string& path) {
  const int number = errno;
  const Code code = number == ENOSPC || number == EDQUOT  ? Code::full
                    : number == ENOENT                    ? Code::not_found
                    : number == EACCES || number == EPERM ? Code::denied
                                                          : Code::internal;
  const std::string reason = std::generic_category().message(number);
  return fail(code, fmt::format("cannot {} {}: {}", doing, path, reason));
}

Result<void> write_all(int file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return system_error("make the folder", path);
  if (::chmod(path.c_str(), 0700) != 0) return system_error("set the rights of", path);
  return {};
}

Result<void> sync_folder(const std::string& path) {
  const FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return system_error("open", path);
  if (::fsync(folder.get()) != 0) return system_error("sync", path);
  return {};
}

}  // namespace tapal::spool
