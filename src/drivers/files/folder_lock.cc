#include "drivers/files/folder_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "drivers/files/files.h"

namespace tapal::files {

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder, std::string_view works) {
  TAPAL_CHECK(create_folder(folder, 0700));
  const auto path = folder / "lock";
  TAPAL_TRY(auto file, open_lock_file(path));
  if (flock(file.number(), LOCK_EX | LOCK_NB) == 0) return FolderLock(std::move(file));
  if (errno != EWOULDBLOCK) return std::unexpected(system_error("lock", path, errno));
  return fail(Code::denied,
              fmt::format("another tapal {} now ({} is locked); try again when it has ended",
                          works,
                          path.string()));
}

}  // namespace tapal::files
