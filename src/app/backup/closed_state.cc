#include "app/backup/closed_state.h"

#include <cerrno>

#include <fmt/format.h>
#include <unistd.h>

#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"

namespace tapal::app {

namespace fs = std::filesystem;

Result<void> close_state(const fs::path& state, std::string_view why) {
  TAPAL_CHECK(files::create_folder(state, 0700));
  return files::write_atomically(state / closed_file_name, why, 0600);
}

Result<void> open_state(const fs::path& state) {
  const auto file = state / closed_file_name;
  if (::unlink(file.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(files::system_error("remove", file, errno));
  return files::sync_folder(state);
}

std::optional<std::string> why_closed(const fs::path& state) {
  auto why = files::read_file(state / closed_file_name);
  if (why) return *std::move(why);
  if (why.error().code == Code::not_found) return {};
  return std::move(why).error().what;
}

Result<void> check_state_is_open(const fs::path& state) {
  const auto why = why_closed(state);
  if (!why) return {};
  return fail(Code::denied,
              fmt::format("{} is closed: {}", state.string(), why->substr(0, why->find('\n'))));
}

}  // namespace tapal::app
