#include "services/upkeep/secret_archive.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::upkeep {
namespace {

constexpr std::size_t path_bytes_max = 4096;

}  // namespace

bool is_archive_path(std::string_view path) {
  if (path.empty() || path.size() > path_bytes_max) return false;
  if (path.find_first_of(std::string_view("\0\n\\", 3)) != path.npos) return false;
  return std::ranges::none_of(text::split(path, '/'), [](std::string_view part) {
    return part.empty() || part == "." || part == ".." || text::equals_ignoring_case(part, ".git");
  });
}

std::string pack(std::vector<ArchivedFile> files) {
  std::ranges::sort(files, {}, &ArchivedFile::path);
  std::string archive;
  for (const auto& [path, bytes] : files)
    archive += fmt::format("{} {}\n{}", bytes.size(), path, bytes);
  return archive;
}

Result<std::vector<ArchivedFile>> unpack(std::string_view archive) {
  std::vector<ArchivedFile> files;
  while (!archive.empty()) {
    const auto line = archive.substr(0, std::min(archive.find('\n'), archive.size()));
    const auto space = line.find(' ');
    if (line.size() == archive.size() || space == line.npos)
      return fail(Code::invalid, "the archive is cut off or not one");
    const auto size = text::to_number<std::size_t>(line.substr(0, space));
    const auto path = line.substr(space + 1);
    if (!size || !is_archive_path(path))
      return fail(Code::invalid,
                  fmt::format("the archive holds a file that has no place here: {}",
                              text::printable(path, 100)));
    archive.remove_prefix(line.size() + 1);
    if (*size > archive.size()) return fail(Code::invalid, "the archive is cut off");
    if (files.size() == archived_files_max)
      return fail(Code::invalid, fmt::format("more than {} files", archived_files_max));
    files.push_back({std::string(path), std::string(archive.substr(0, *size))});
    archive.remove_prefix(*size);
  }
  return files;
}

}  // namespace tapal::upkeep
