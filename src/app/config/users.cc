#include "app/config/users.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "values/crypto/hash.h"
#include "values/crypto/password.h"

namespace tapal::app {
namespace {

// What a command about one user needs.
struct UserPlace {
  mail::Address address;
  std::filesystem::path file;
  crypto::PasswordCost cost;
};

Result<UserPlace> place_of(const CommonOptions& common, const std::string& text) {
  TAPAL_TRY(auto address, mail::parse_address(text));
  TAPAL_TRY(auto file, users_file_of(common, address));
  TAPAL_TRY(const auto settings, load_settings(common.config));
  return UserPlace{std::move(address), std::move(file), settings.auth.password_cost};
}

// A new password for a user, written by `edit`.
Result<void> write_password(const CommonOptions& common,
                            const UserPlace& place,
                            const std::string& password,
                            PasswordEdit edit) {
  TAPAL_TRY(const auto credentials, make_credentials(password, place.cost));
  const auto change = [&](std::string_view before) {
    return edit(before, place.address.local, credentials);
  };
  TAPAL_CHECK(files::edit_file(place.file, users_file_mode, change));
  take_effect(common);
  return {};
}

}  // namespace

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

int give_password(const CommonOptions& common,
                  const std::string& text,
                  const PasswordSource& source,
                  PasswordEdit edit) {
  const auto place = place_of(common, text);
  if (!place) return tell(place.error());
  const bool generated = source.otherwise == PasswordSource::Otherwise::generate;
  auto password =
      generated ? Result<std::string>(generate_password()) : read_password(source, Ask::twice);
  if (!password) return tell(password.error());
  if (const auto written = write_password(common, *place, *password, edit); !written)
    return tell(written.error());
  const auto address = place->address.text();
  if (common.output == Output::json) {
    boost::json::object answer{{"user", address}};
    if (generated) answer["password"] = *password;
    print_json(answer);
  } else {
    fmt::print("{}: password set\n", address);
    if (generated) fmt::print("password: {}\n", *password);
  }
  crypto::wipe(*password);
  return exit_done;
}

Result<std::string> add_user_with_new_password(const CommonOptions& common,
                                               const std::string& address) {
  TAPAL_TRY(const auto place, place_of(common, address));
  auto password = generate_password();
  TAPAL_CHECK(write_password(common, place, password, &account::add_user));
  return password;
}

}  // namespace tapal::app
