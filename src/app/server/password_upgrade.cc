#include "app/server/password_upgrade.h"

#include <utility>

#include "app/cli/password_input.h"
#include "app/config/users.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "rules/account/users_file.h"

namespace tapal::app {
namespace {

Result<std::string> keep_anew(const std::filesystem::path& users_file,
                              const account::UserRecord& user,
                              const std::string& password,
                              const crypto::PasswordCost& cost) {
  TAPAL_TRY(auto credentials, make_credentials(password, cost));
  const auto change = [&](std::string_view before) {
    return account::replace_password(before, user.address.local, user.password_hash, credentials);
  };
  TAPAL_CHECK(files::edit_file(users_file, users_file_mode, change));
  return std::move(credentials.password_hash);
}

}  // namespace

intake::UpgradePassword password_upgrade(std::filesystem::path config,
                                         crypto::PasswordCost cost,
                                         Log& log) {
  return [config = std::move(config), cost, &log](
             const account::UserRecord& user,
             const std::string& password) -> std::optional<std::string> {
    const auto file = files::users_file(config, user.address.domain);
    auto kept = keep_anew(file, user, password, cost);
    if (kept) {
      log.write(Level::info, "password kept in our own form", {{"user", user.address.text()}});
      return *std::move(kept);
    }
    log.write(Level::warning,
              "password stays in another server's form",
              {{"user", user.address.text()}, {"reason", kept.error().what}});
    return {};
  };
}

}  // namespace tapal::app
