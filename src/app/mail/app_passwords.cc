#include "app/mail/app_passwords.h"

#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/config/users.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "drivers/system/clock.h"
#include "drivers/system/random.h"
#include "rules/account/users_file.h"

namespace tapal::app {
namespace {

using Change = std::function<Result<std::string>(std::string_view)>;

Result<void> edit_users(const CommonOptions& common,
                        const mail::Address& user,
                        const Change& change) {
  TAPAL_TRY(const auto file, users_file_of(common, user));
  TAPAL_CHECK(files::edit_file(file, users_file_mode, change));
  take_effect(common);
  return {};
}

}  // namespace

Result<std::string> add_app_password(const CommonOptions& common, const AppPasswordPlace& place) {
  auto password = account::readable_password(SystemRandom().bytes(25));
  const auto digest = account::app_password_digest(password);
  if (!digest) return fail(Code::internal, "the password that was made is none of ours");
  const account::AppPassword kept{
      place.name, std::chrono::floor<std::chrono::days>(SystemClock().wall_now()), *digest};
  TAPAL_CHECK(edit_users(common, place.user, [&](std::string_view before) {
    return account::add_app_password(before, place.user.local, kept);
  }));
  return password;
}

Result<void> remove_app_password(const CommonOptions& common, const AppPasswordPlace& place) {
  return edit_users(common, place.user, [&](std::string_view before) {
    return account::remove_app_password(before, place.user.local, place.name);
  });
}

Result<std::vector<account::AppPassword>> app_passwords_of(const CommonOptions& common,
                                                           const mail::Address& user) {
  TAPAL_TRY(const auto file, users_file_of(common, user));
  TAPAL_TRY(const auto text, files::read_file(file));
  const auto users = account::read_users(text, user.domain, file.string()).users;
  const auto key = user.key();
  for (const auto& each : users)
    if (each.address.key() == key) return each.app_passwords;
  return fail(Code::not_found, fmt::format("there is no user {}", user.text()));
}

std::string config_words(const CommonOptions& common) {
  if (common.config == config_folder_path("")) return {};
  return fmt::format(" --config {}", common.config.string());
}

}  // namespace tapal::app
