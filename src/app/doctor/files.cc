#include "app/doctor/files.h"

#include <array>
#include <system_error>

#include "drivers/files/config_folder.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 100'000;
constexpr fs::perms others = fs::perms::group_all | fs::perms::others_all;

bool is_secret(const fs::path& file) {
  const auto name = file.filename().string();
  constexpr std::array<std::string_view, 4> names{
      "privkey.pem", "users", "srs.keys", webhook_key_file_name};
  for (const auto secret : names)
    if (name == secret) return true;
  return file.extension() == ".pem" && file.parent_path().filename() == "dkim";
}

void look_below(const fs::path& folder, std::vector<provision::LooseFile>& loose) {
  std::error_code error;
  fs::recursive_directory_iterator entries(
      folder, fs::directory_options::skip_permission_denied, error);
  for (std::size_t seen = 0; !error && entries != fs::end(entries) && seen < files_max;
       entries.increment(error), ++seen) {
    if (!is_secret(entries->path()) || !entries->is_regular_file(error)) continue;
    const auto mode = entries->status(error).permissions();
    if (!error && (mode & others) != fs::perms::none)
      loose.push_back({entries->path().string(), static_cast<std::uint32_t>(mode)});
  }
}

}  // namespace

std::vector<provision::LooseFile> find_loose_files(const fs::path& config,
                                                   const Settings& settings) {
  std::vector<provision::LooseFile> loose;
  look_below(config, loose);
  const auto certificates = settings.certificates_folder(config);
  const auto inside = certificates.lexically_relative(config);
  if (inside.empty() || *inside.begin() == "..") look_below(certificates, loose);
  return loose;
}

std::optional<WallTime> changed_at(const fs::path& file) {
  std::error_code error;
  const auto time = fs::last_write_time(file, error);
  if (error) return {};
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::file_clock::to_sys(time));
}

}  // namespace tapal::app
