#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/password_input.h"
#include "app/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "values/crypto/hash.h"
#include "values/crypto/password.h"

namespace tapal::app {
namespace {

constexpr mode_t users_file_mode = 0600;

int tell(const Error& error) {
  fmt::print(stderr, "tapal: {}\n", error.what);
  return exit_failed;
}

// What a command about one user needs.
struct UserPlace {
  mail::Address address;
  std::filesystem::path file;
  crypto::PasswordCost cost;
};

Result<UserPlace> place_of(const CommonOptions& common, const std::string& text) {
  TAPAL_TRY(auto address, mail::parse_address(text));
  const auto folder = common.config / "domains" / address.domain;
  if (!std::filesystem::is_directory(folder))
    return fail(
        Code::not_found,
        fmt::format(
            "{} is not a domain of this server: there is no folder {}; `tapal init {}` makes it",
            address.domain,
            folder.string(),
            address.domain));
  TAPAL_TRY(const auto settings, load_settings(common.config));
  auto file = files::users_file(common.config, address.domain);
  return UserPlace{std::move(address), std::move(file), settings.auth.password_cost};
}

// A new password for a user, written by `edit`.
using Edit = Result<std::string> (*)(std::string_view,
                                     std::string_view,
                                     const account::Credentials&);
int write_password(const CommonOptions& common,
                   const std::string& text,
                   const PasswordSource& source,
                   Edit edit) {
  auto place = place_of(common, text);
  if (!place) return tell(place.error());
  const bool generated = source.otherwise == PasswordSource::Otherwise::generate;
  auto password =
      generated ? Result<std::string>(generate_password()) : read_password(source, Ask::twice);
  if (!password) return tell(password.error());
  const auto credentials = make_credentials(*password, place->cost);
  if (!credentials) return tell(credentials.error());
  const auto change = [&](std::string_view before) {
    return edit(before, place->address.local, *credentials);
  };
  if (const auto written = files::edit_file(place->file, users_file_mode, change); !written)
    return tell(written.error());
  const auto address = place->address.text();
  if (common.output == Output::json) {
    boost::json::object answer{{"user", address}};
    if (generated) answer["password"] = *password;
    fmt::print("{}\n", boost::json::serialize(answer));
  } else {
    fmt::print("{}: password set\n", address);
    if (generated) fmt::print("password: {}\n", *password);
  }
  crypto::wipe(*password);
  return exit_done;
}

}  // namespace

int run_user_add(const CommonOptions& common,
                 const std::string& address,
                 const PasswordSource& password) {
  return write_password(common, address, password, &account::add_user);
}

int run_user_passwd(const CommonOptions& common,
                    const std::string& address,
                    const PasswordSource& password) {
  return write_password(common, address, password, &account::set_password);
}

int run_user_del(const CommonOptions& common, const std::string& address) {
  const auto place = place_of(common, address);
  if (!place) return tell(place.error());
  const auto change = [&](std::string_view before) {
    return account::remove_user(before, place->address.local);
  };
  if (const auto written = files::edit_file(place->file, users_file_mode, change); !written)
    return tell(written.error());
  if (common.output == Output::json)
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{{"user", place->address.text()}}));
  else
    fmt::print("{}: deleted\n", place->address.text());
  return exit_done;
}

int run_user_list(const CommonOptions& common, const std::string& domain) {
  const auto folder = files::load_config_folder({common.config, {}});
  for (const auto& problem : folder.problems) fmt::print(stderr, "tapal: {}\n", problem);
  const auto domains = domain.empty() ? folder.directory.domains() : std::vector{domain};
  boost::json::array list;
  for (const auto& each : domains)
    for (const auto& user : folder.directory.users(each)) {
      if (common.output == Output::text) fmt::print("{}\n", user.address.text());
      list.emplace_back(user.address.text());
    }
  if (common.output == Output::json)
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"users", list}}));
  return folder.problems.empty() ? exit_done : exit_failed;
}

int run_user_authenticate(const CommonOptions& common,
                          const std::string& address,
                          const PasswordSource& source) {
  const auto folder = files::load_config_folder({common.config, {}});
  auto password = read_password(source, Ask::once);
  if (!password) return tell(password.error());
  const auto* user = folder.directory.find_login(address);
  const bool right = user != nullptr && crypto::verify_password(user->password_hash, *password);
  crypto::wipe(*password);
  if (common.output == Output::json)
    fmt::print(
        "{}\n",
        boost::json::serialize(boost::json::object{{"user", address}, {"authenticated", right}}));
  else
    fmt::print("{}\n",
               right ? "right: this user and password may log in" : "wrong user or password");
  return right ? exit_done : exit_failed;
}

}  // namespace tapal::app
