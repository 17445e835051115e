#include "app/user_place.h"

#include <fmt/format.h>

#include "drivers/files/config_folder.h"

namespace tapal::app {

Result<std::filesystem::path> users_file_of(const CommonOptions& common,
                                            const mail::Address& user) {
  const auto folder = common.config / "domains" / user.domain;
  if (std::filesystem::is_directory(folder)) return files::users_file(common.config, user.domain);
  return fail(
      Code::not_found,
      fmt::format(
          "{} is not a domain of this server: there is no folder {}; `tapal init {}` makes it",
          user.domain,
          folder.string(),
          user.domain));
}

}  // namespace tapal::app
