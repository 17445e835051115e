#include "app/settings/folder_version.h"

#include <fmt/format.h>

#include "drivers/files/files.h"
#include "values/text/ascii.h"

namespace tapal::app {

Result<int> read_version(const std::filesystem::path& folder) {
  constexpr std::size_t bytes_max = 32;
  const auto file = folder / version_file_name;
  const auto text = files::read_file(file, bytes_max);
  if (!text && text.error().code == Code::not_found) return 0;
  if (!text) return std::unexpected(text.error());
  const auto number = text::to_number<int>(text::trim(*text));
  if (!number || *number < 1)
    return fail(Code::invalid,
                fmt::format("{} is no version: it holds a number from 1 on", file.string()));
  return *number;
}

std::string version_text(int version) { return fmt::format("{}\n", version); }

Result<void> write_version(const std::filesystem::path& folder, int version) {
  return files::write_atomically(folder / version_file_name, version_text(version), 0600);
}

Result<void> check_version(const FolderForm& form, int version, const std::string& where) {
  if (version <= form.version) return {};
  return fail(
      Code::denied,
      fmt::format("the {0} of {1} is of version {2}, made by a newer tapal; this is tapal "
                  "{3}, which knows version {4}: install a newer tapal, or restore what was "
                  "kept before the upgrade to version {2} (docs/guide/backup.md)",
                  form.what,
                  where,
                  version,
                  TAPAL_VERSION,
                  form.version));
}

}  // namespace tapal::app
