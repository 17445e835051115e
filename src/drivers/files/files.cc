#include "drivers/files/files.h"

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/files/descriptor.h"
#include "drivers/files/ownership.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

Code code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR: return Code::not_found;
    case EACCES:
    case EPERM:
    case EROFS: return Code::denied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Code::full;
    case ENAMETOOLONG:
    case EISDIR:
    case ELOOP: return Code::invalid;
    default: return Code::internal;
  }
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

Result<std::string> read_open_file(const Descriptor& file,
                                   const fs::path& path,
                                   std::size_t bytes_max) {
  std::string bytes;
  while (true) {
    constexpr std::size_t step = 64UL * 1024;
    const std::size_t before = bytes.size();
    bytes.resize(before + std::min(step, bytes_max + 1 - before));
    const ssize_t count = read(file.number(), bytes.data() + before, bytes.size() - before);
    if (count < 0 && errno == EINTR) {
      bytes.resize(before);
      continue;
    }
    if (count < 0) return std::unexpected(system_error("read", path, errno));
    bytes.resize(before + static_cast<std::size_t>(count));
    if (bytes.size() > bytes_max)
      return fail(Code::invalid,
                  fmt::format("{} is longer than {} bytes", path.string(), bytes_max));
    if (count == 0) return bytes;
  }
}

Error system_error(std::string_view action, const fs::path& path, int number) {
  return {code_of(number),
          fmt::format(
              "cannot {} {}: {}", action, path.string(), std::system_category().message(number))};
}

Result<std::string> read_file(const fs::path& path, std::size_t bytes_max) {
  // Without O_NONBLOCK a FIFO in the place of a file would hold us up for ever.
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return std::unexpected(system_error("open", path, errno));
  struct stat facts{};
  if (fstat(file.number(), &facts) != 0) return std::unexpected(system_error("read", path, errno));
  if (!S_ISREG(facts.st_mode))
    return fail(Code::invalid, fmt::format("{} is not a regular file", path.string()));
  return read_open_file(file, path, bytes_max);
}

Result<void> write_all(const Descriptor& file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(file.number(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(system_error("write", path, errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync_folder(const fs::path& folder) {
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return std::unexpected(system_error("open", folder, errno));
  if (fsync(opened.number()) != 0) return std::unexpected(system_error("sync", folder, errno));
  return {};
}

Result<void> sync_disk_of(const fs::path& folder) {
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return std::unexpected(system_error("open", folder, errno));
  if (syncfs(opened.number()) != 0) return std::unexpected(system_error("sync", folder, errno));
  return {};
}

Result<void> write_atomically(const fs::path& path, std::string_view bytes, mode_t mode) {
  static std::atomic<unsigned> counter = 0;
  const fs::path folder = folder_of(path);
  const fs::path temporary =
      folder / fmt::format(".{}.{}.{}.new", path.filename().string(), getpid(), counter++);
  const auto write_new = [&]() -> Result<void> {
    Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!file) return std::unexpected(system_error("create", temporary, errno));
    // The mode as asked for, whatever the umask.
    if (fchmod(file.number(), mode) != 0)
      return std::unexpected(system_error("set the mode of", temporary, errno));
    TAPAL_CHECK(follow_owner(file, temporary));
    TAPAL_CHECK(write_all(file, bytes, path));
    if (fsync(file.number()) != 0 || !file.close())
      return std::unexpected(system_error("write", path, errno));
    if (rename(temporary.c_str(), path.c_str()) != 0)
      return std::unexpected(system_error("replace", path, errno));
    return {};
  };
  if (auto written = write_new(); !written) {
    unlink(temporary.c_str());
    return written;
  }
  return sync_folder(folder);
}

Result<void> append_line(const fs::path& path, std::string_view line, mode_t mode) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return std::unexpected(system_error("open", path, errno));
  TAPAL_CHECK(follow_owner(file, path));
  return write_all(file, fmt::format("{}\n", line), path);
}

Result<void> create_folder(const fs::path& path, mode_t mode) {
  fs::path made;
  for (const fs::path& part : path) {
    const fs::path parent = made.empty() ? fs::path(".") : made;
    made /= part;
    if (mkdir(made.c_str(), mode) == 0) {
      TAPAL_CHECK(follow_owner(
          Descriptor(open(made.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)), made));
      TAPAL_CHECK(sync_folder(parent.empty() ? fs::path(".") : parent));
      continue;
    }
    const int number = errno;
    struct stat facts{};
    if (stat(made.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) continue;
    return std::unexpected(system_error("create folder", made, number));
  }
  return {};
}

Result<void> edit_file(const fs::path& path,
                       mode_t mode,
                       const std::function<Result<std::string>(std::string_view)>& change) {
  // The lock is a file of its own, since the edited one is replaced. It stays: removing it would
  // let two editors hold locks on two files of that name.
  const fs::path lock_path = path.string() + ".lock";
  const auto folder = path.parent_path();
  std::error_code error;
  if (!folder.empty() && !fs::is_directory(folder, error))
    return fail(
        Code::not_found,
        fmt::format("there is no folder {} for {}", folder.string(), path.filename().string()));
  TAPAL_TRY(const auto lock, open_lock(lock_path));
  while (flock(lock.number(), LOCK_EX) != 0)
    if (errno != EINTR) return std::unexpected(system_error("lock", lock_path, errno));

  auto before = read_file(path);
  if (!before && before.error().code != Code::not_found)
    return std::unexpected(std::move(before).error());
  const std::string text = before ? *std::move(before) : std::string();
  TAPAL_TRY(const std::string after, change(text));
  if (after == text) return {};
  return write_atomically(path, after, mode);
}

}  // namespace tapal::files
