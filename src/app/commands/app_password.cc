#include "app/commands/app_password.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/mail/app_passwords.h"
#include "values/crypto/hash.h"

namespace tapal::app {
namespace {

namespace json = boost::json;

struct AppPasswordOptions {
  std::string address;
  std::string name;
};

Result<AppPasswordPlace> place_of(const AppPasswordOptions& options) {
  TAPAL_TRY(auto user, mail::parse_address(options.address));
  return AppPasswordPlace{std::move(user), options.name};
}

int run_add(const CommonOptions& common, const AppPasswordOptions& options) {
  const auto place = place_of(options);
  if (!place) return tell(place.error());
  auto password = add_app_password(common, *place);
  if (!password) return tell(password.error());
  const auto user = place->user.text();
  if (common.output == Output::json)
    print_json({{"user", user}, {"name", place->name}, {"password", *password}});
  else
    fmt::print(
        "{0}: application password {1}\n"
        "password: {2}\n"
        "It is shown this once. The user name beside it is {0}; use PLAIN or LOGIN under TLS.\n"
        "To take it back: tapal user app-password del {0} --name {1}{3}\n",
        user,
        place->name,
        *password,
        config_words(common));
  crypto::wipe(*password);
  return exit_done;
}

int run_del(const CommonOptions& common, const AppPasswordOptions& options) {
  const auto place = place_of(options);
  if (!place) return tell(place.error());
  if (const auto done = remove_app_password(common, *place); !done) return tell(done.error());
  const auto user = place->user.text();
  if (common.output == Output::json)
    print_json({{"user", user}, {"name", place->name}});
  else
    fmt::print("{}: application password {} deleted\n", user, place->name);
  return exit_done;
}

int run_app_password_list(const CommonOptions& common, const std::string& address) {
  const auto user = mail::parse_address(address);
  if (!user) return tell(user.error());
  const auto passwords = app_passwords_of(common, *user);
  if (!passwords) return tell(passwords.error());
  json::array list;
  for (const auto& password : *passwords) {
    const auto created = password.created_text();
    if (common.output == Output::text) fmt::print("{}  {}\n", created, password.name);
    list.push_back(json::object{{"name", password.name}, {"created", created}});
  }
  if (common.output == Output::json)
    print_json({{"user", user->text()}, {"app_passwords", std::move(list)}});
  return exit_done;
}

}  // namespace

void declare_app_password(const Command& user) {
  const auto group = user.add_group("app-password",
                                    "passwords for single applications, each taken back by itself",
                                    "user app-password list ann@example.com");
  const auto named = [&group](const std::string& name, const std::string& help, auto run) {
    const auto command =
        group.add(name, help, "user app-password " + name + " ann@example.com --name phone");
    auto options = std::make_shared<AppPasswordOptions>();
    command.text({"address", "the user's whole address", true}, options->address);
    command.text({"--name", "what it is for: a-z, 0-9, \"-\", \"_\", \".\"", true}, options->name);
    command.changes([options, run](const auto& common) { return run(common, *options); });
  };
  named("add", "make a password for one application and print it", &run_add);
  named("del", "take a password back; sessions that used it can send no more", &run_del);

  const auto list = group.add("list", "list a user's", "user app-password list ann@example.com");
  auto address = std::make_shared<std::string>();
  list.text({"address", "the user's whole address", true}, *address);
  list.runs([address](const auto& common) { return run_app_password_list(common, *address); });
}

}  // namespace tapal::app
