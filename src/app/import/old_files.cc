#include "app/import/old_files.h"

#include <algorithm>
#include <system_error>

#include "drivers/files/files.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t names_max = 100'000;

}  // namespace

// A path that names a place below the root already stays as it is.
fs::path DiskFiles::place_of(std::string_view path) const {
  fs::path named(path);
  if (root_.empty() || std::ranges::mismatch(root_, named).in1 == root_.end()) return named;
  return root_ / named.relative_path();
}

Result<std::string> DiskFiles::read(std::string_view path) const {
  auto text = files::read_file(place_of(path));
  if (!text && text.error().code == Code::denied && !refusal_) refusal_ = text.error();
  return text;
}

std::vector<std::string> DiskFiles::names_in(std::string_view folder) const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(place_of(folder), error), end; !error && at != end;
       at.increment(error)) {
    auto name = at->path().filename().string();
    if (!name.starts_with('.') && names.size() < names_max) names.push_back(std::move(name));
  }
  if (error == std::errc::permission_denied && !refusal_)
    refusal_ = files::system_error("read the folder", place_of(folder), error.value());
  std::ranges::sort(names);
  return names;
}

}  // namespace tapal::app
