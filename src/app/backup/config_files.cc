#include "app/backup/config_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/settings/settings.h"
#include "drivers/files/files.h"
#include "values/crypto/sealed.h"

namespace tapal::app {

namespace fs = std::filesystem;

std::optional<std::vector<std::string>> state_folders(const fs::path& config) {
  const auto settings = load_settings(config);
  if (!settings) return {};
  std::vector<std::string> inside;
  for (const auto& folder : {fs::path(settings->state_folder), settings->mail_folder()}) {
    const auto from_here = folder.lexically_relative(config).generic_string();
    if (!from_here.empty() && from_here != "." && !from_here.starts_with(".."))
      inside.push_back(from_here);
  }
  return inside;
}

bool is_configuration(const fs::path& file) {
  const auto top = file.begin()->string();
  if (top == ".git" || top.starts_with(kept_copy_prefix) || top.starts_with(replaced_prefix))
    return false;
  const auto name = file.filename().string();
  const bool is_passing = name.ends_with(".lock") || name.ends_with(".part") ||
                          (name.starts_with('.') && name.ends_with(".new"));
  return !is_passing;
}

Result<ConfigFiles> read_config_files(const fs::path& config) {
  ConfigFiles found;
  const auto state =
      state_folders(fs::absolute(config).lexically_normal()).value_or(std::vector<std::string>());
  std::size_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(config, error), end; !error && at != end;
       at.increment(error)) {
    const auto file = at->path().lexically_relative(config);
    const auto path = file.generic_string();
    std::error_code gone;
    const bool is_folder = fs::is_directory(at->symlink_status(gone));
    if (!is_configuration(file) || std::ranges::find(state, path) != state.end()) {
      if (is_folder) at.disable_recursion_pending();
      continue;
    }
    if (is_folder) continue;
    if (!fs::is_regular_file(at->status(gone)) || !upkeep::is_archive_path(path)) {
      found.left_out.push_back(path);
      continue;
    }
    TAPAL_TRY(auto text, files::read_file(at->path(), crypto::sealed_bytes_max));
    bytes += text.size();
    if (bytes > crypto::sealed_bytes_max)
      return fail(Code::full,
                  fmt::format("{} and the files before it are more than {} bytes: something large "
                              "does not belong into {}",
                              path,
                              crypto::sealed_bytes_max,
                              config.string()));
    found.files.push_back({path, std::move(text)});
  }
  if (error)
    return fail(Code::internal, "cannot look into " + config.string() + ": " + error.message());
  std::ranges::sort(found.files, {}, &upkeep::ArchivedFile::path);
  return found;
}

}  // namespace tapal::app
