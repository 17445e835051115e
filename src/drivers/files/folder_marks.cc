#include "drivers/files/folder_marks.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

namespace tapal::files {
namespace {

constexpr std::size_t depth_max = 8;
constexpr std::size_t marks_max = 1'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseFolder> opened(opendir(folder.c_str()));
  if (!opened) return names;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): each folder is read by one thread
  while (const dirent* entry = readdir(opened.get())) {
    const std::string_view name = &entry->d_name[0];
    if (!name.starts_with('.') && !name.ends_with(".lock")) names.emplace_back(name);
  }
  return names;
}

}  // namespace

FolderMarks FolderMarks::take(const std::filesystem::path& folder) {
  FolderMarks result;
  std::vector<std::pair<std::string, std::size_t>> folders{{folder.string(), 1}};
  while (!folders.empty() && result.marks_.size() < marks_max) {
    const auto [path, depth] = std::move(folders.back());
    folders.pop_back();
    for (const std::string& name : names_in(path)) {
      std::string child = path;
      child += '/';
      child += name;
      struct stat facts{};
      if (stat(child.c_str(), &facts) != 0) continue;
      if (S_ISDIR(facts.st_mode)) {
        // A folder's own times change with every lock file: only what is in it counts.
        if (depth < depth_max) folders.emplace_back(std::move(child), depth + 1);
        continue;
      }
      result.marks_.emplace(std::move(child),
                            Mark{facts.st_dev,
                                 facts.st_ino,
                                 nanoseconds(facts.st_ctim),
                                 nanoseconds(facts.st_mtim),
                                 facts.st_size});
    }
  }
  return result;
}

}  // namespace tapal::files
