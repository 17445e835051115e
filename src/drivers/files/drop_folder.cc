#include "drivers/files/drop_folder.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "values/crypto/hash.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

constexpr mode_t drop_mode = 01733;
constexpr mode_t writing_mode = 0200;
// Its own user can read it too, and run it, which nobody wants: so no other file has this mode.
constexpr mode_t complete_mode = 0544;
constexpr std::size_t name_bytes = 16;        // random, in hexadecimal digits
constexpr std::size_t entries_max = 100'000;  // looked at; the rest waits until these are gone
constexpr std::time_t unfinished_seconds_max = 86'400;

bool is_name(std::string_view name) {
  return name.size() == 2 * name_bytes && std::ranges::all_of(name, [](char c) {
           return text::is_digit(c) || (c >= 'a' && c <= 'f');
         });
}

// A second link would let its owner keep what we remove, or name a file of somebody else.
bool is_complete(const struct stat& facts) {
  return S_ISREG(facts.st_mode) && (facts.st_mode & 07777U) == complete_mode && facts.st_nlink == 1;
}

struct Found {
  std::time_t when = 0;
  std::string name;
  auto operator<=>(const Found&) const = default;
};

// What a program left half done when it was killed, or is not ours.
void remove_litter(int folder, const char* name, const struct stat& facts) {
  if (facts.st_mtime < std::time(nullptr) - unfinished_seconds_max) ::unlinkat(folder, name, 0);
}

Result<std::vector<Found>> look_into(const fs::path& path) {
  const std::unique_ptr<DIR, decltype([](DIR* open) { ::closedir(open); })> folder(
      ::opendir(path.c_str()));
  if (!folder) return std::unexpected(system_error("read", path, errno));
  const int descriptor = ::dirfd(folder.get());
  std::vector<Found> found;
  for (std::size_t seen = 0; seen < entries_max; ++seen) {
    const dirent* entry = ::readdir(folder.get());  // NOLINT(concurrency-mt-unsafe): our own DIR
    if (entry == nullptr) break;
    struct stat facts{};
    if (::fstatat(descriptor, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 ||
        S_ISDIR(facts.st_mode))
      continue;
    if (is_name(entry->d_name) && is_complete(facts)) {
      found.push_back({facts.st_mtime, entry->d_name});
    } else {
      remove_litter(descriptor, entry->d_name, facts);
    }
  }
  return found;
}

Result<void> fill(const Descriptor& file, const fs::path& path, std::string_view bytes) {
  TAPAL_CHECK(write_all(file, bytes, path));
  if (::fchmod(file.number(), complete_mode) != 0 || ::fsync(file.number()) != 0)
    return std::unexpected(system_error("write", path, errno));
  return {};
}

}  // namespace

Result<LocalDropFolder> LocalDropFolder::open(fs::path folder, std::size_t bytes_max) {
  // Not by umask, and only where it is new: how an old one is, is the administrator's affair.
  if (::mkdir(folder.c_str(), 0700) == 0) {
    if (::chmod(folder.c_str(), drop_mode) != 0)
      return std::unexpected(system_error("set the mode of", folder, errno));
  } else if (errno != EEXIST) {
    return std::unexpected(system_error("make", folder, errno));
  }
  return LocalDropFolder(std::move(folder), bytes_max);
}

Result<std::vector<std::string>> LocalDropFolder::names(std::size_t names_max) {
  TAPAL_TRY(auto found, look_into(folder_));
  const auto wanted = std::min(names_max, found.size());
  std::ranges::partial_sort(found, found.begin() + static_cast<std::ptrdiff_t>(wanted));
  std::vector<std::string> names;
  names.reserve(wanted);
  for (std::size_t i = 0; i < wanted; ++i) names.push_back(std::move(found[i].name));
  return names;
}

Result<DroppedFile> LocalDropFolder::read(const std::string& name) {
  const auto path = folder_ / name;
  const Descriptor file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!file) return std::unexpected(system_error("open", path, errno));
  struct stat facts{};
  if (::fstat(file.number(), &facts) != 0)
    return std::unexpected(system_error("read", path, errno));
  if (!is_complete(facts) || static_cast<std::size_t>(facts.st_size) > bytes_max_)
    return fail(Code::invalid, fmt::format("{} is no message", path.string()));
  DroppedFile dropped{facts.st_uid, {}};
  TAPAL_TRY(dropped.bytes, read_open_file(file, path, bytes_max_));
  return dropped;
}

Result<void> LocalDropFolder::remove(const std::string& name) {
  const auto path = folder_ / name;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(system_error("remove", path, errno));
  return {};
}

Result<void> leave_drop(const fs::path& folder, std::string_view bytes) {
  const auto path = folder / text::to_hex(crypto::random_bytes(name_bytes));
  const Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, writing_mode));
  if (!file) return std::unexpected(system_error("write to", folder, errno));
  auto filled = fill(file, path, bytes);
  if (!filled) ::unlink(path.c_str());  // its owner may
  return filled;
}

}  // namespace tapal::files
