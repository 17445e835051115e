#include "drivers/files/ownership.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/files/files.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

constexpr uid_t root = 0;

// A file with a second name may be one of the system's that somebody linked to.
bool is_to_be_given(const struct stat& facts) {
  return facts.st_uid == root && (S_ISDIR(facts.st_mode) || facts.st_nlink == 1);
}

Result<void> give_one(const fs::path& path, Owner owner) {
  struct stat facts{};
  const bool is_there = lstat(path.c_str(), &facts) == 0;
  if (is_there && !is_to_be_given(facts)) return {};
  if (is_there && lchown(path.c_str(), owner.user, owner.group) == 0) return {};
  if (errno == ENOENT) return {};  // a server that runs has removed it
  return std::unexpected(system_error("give away", path, errno));
}

}  // namespace

std::optional<Owner> owner_to_follow(const fs::path& folder) {
  struct stat facts{};
  if (geteuid() != root || stat(folder.c_str(), &facts) != 0 || facts.st_uid == root) return {};
  return Owner{facts.st_uid, facts.st_gid};
}

Result<void> follow_owner(const Descriptor& file, const fs::path& path) {
  const auto owner = owner_to_follow(path.has_parent_path() ? path.parent_path() : fs::path("."));
  if (!owner) return {};
  struct stat facts{};
  if (fstat(file.number(), &facts) == 0 &&
      (!is_to_be_given(facts) || fchown(file.number(), owner->user, owner->group) == 0))
    return {};
  return std::unexpected(system_error("give away", path, errno));
}

Result<Descriptor> open_lock(const fs::path& path) {
  constexpr mode_t owner_only = 0600;
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, owner_only));
  if (!file) return std::unexpected(system_error("open", path, errno));
  TAPAL_CHECK(follow_owner(file, path));
  return file;
}

Result<void> give_folder(const fs::path& folder, Owner owner) {
  TAPAL_CHECK(give_one(folder, owner));
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    TAPAL_CHECK(give_one(at->path(), owner));
  }
  if (error)
    return fail(Code::internal, "cannot look into " + folder.string() + ": " + error.message());
  return {};
}

}  // namespace tapal::files
