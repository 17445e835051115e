#include "app/backup/verify.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>

#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

// Below the system's folder for temporary files, and gone with this.
class WorkingFolder {
 public:
  static Result<WorkingFolder> make() {
    std::error_code none;
    auto path = (fs::temp_directory_path(none) / "tapal-verify-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr)
      return std::unexpected(files::system_error("make", path, errno));
    return WorkingFolder(std::move(path));
  }
  ~WorkingFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  WorkingFolder(WorkingFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  WorkingFolder& operator=(WorkingFolder&&) = delete;
  const fs::path& path() const { return path_; }

 private:
  explicit WorkingFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

// Files that the settings name elsewhere are not looked for: this may be another machine.
void look_through_config(const fs::path& config, std::vector<std::string>& problems) {
  const auto name = config / settings_file_name;
  const auto text = files::read_file(name, settings_bytes_max);
  if (text)
    std::ranges::copy(parse_settings(*text, std::string(settings_file_name)).problems,
                      std::back_inserter(problems));
  else
    problems.push_back(text.error().what);
  std::ranges::copy(files::load_config_folder({config, {}}).problems, std::back_inserter(problems));
}

}  // namespace

Result<VerifiedBackup> verify_backup(const fs::path& path,
                                     CheckedBackup backup,
                                     std::string_view passphrase) {
  VerifiedBackup verified{.manifest = backup.manifest};
  TAPAL_TRY(const auto config, open_config(std::move(backup), passphrase));
  TAPAL_TRY(const auto work, WorkingFolder::make());
  TAPAL_CHECK(write_config(config, work.path() / "config"));
  look_through_config(work.path() / "config", verified.problems);
  if (verified.manifest.spool_version) {
    TAPAL_CHECK(unpack_state(path, work.path()));
    TAPAL_TRY(verified.spool, look_through_spool(work.path() / "spool"));
    std::ranges::copy(verified.spool.problems, std::back_inserter(verified.problems));
  }
  return verified;
}

}  // namespace tapal::app
