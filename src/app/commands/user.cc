#include <cmath>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/cli/password_input.h"
#include "app/commands/app_password.h"
#include "app/commands/commands.h"
#include "app/config/users.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "values/crypto/hash.h"
#include "values/crypto/password.h"
#include "values/text/duration.h"

namespace tapal::app {
namespace {

struct UserOptions {
  std::string address;
  std::string domain;
  PasswordSource password;
  bool generate = false;
};

using UserCommand = int (*)(const CommonOptions&, const std::string&, const PasswordSource&);

int run_user_add(const CommonOptions& common,
                 const std::string& address,
                 const PasswordSource& password) {
  return give_password(common, address, password, &account::add_user);
}

int run_user_passwd(const CommonOptions& common,
                    const std::string& address,
                    const PasswordSource& password) {
  return give_password(common, address, password, &account::set_password);
}

int run_user_del(const CommonOptions& common, const std::string& address) {
  const auto user = mail::parse_address(address);
  if (!user) return tell(user.error());
  const auto file = users_file_of(common, *user);
  if (!file) return tell(file.error());
  const auto change = [&](std::string_view before) {
    return account::remove_user(before, user->local);
  };
  if (const auto written = files::edit_file(*file, users_file_mode, change); !written)
    return tell(written.error());
  take_effect(common);
  if (common.output == Output::json)
    print_json({{"user", user->text()}});
  else
    fmt::print("{}: deleted\n", user->text());
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
  if (common.output == Output::json) print_json({{"users", list}});
  return folder.problems.empty() ? exit_done : exit_failed;
}

bool is_password_of(const account::UserRecord& user, const std::string& password) {
  const auto digest = account::app_password_digest(password);
  return (digest && account::find_app_password(user.app_passwords, *digest) != nullptr) ||
         crypto::verify_password(user.password_hash, password);
}

int run_user_authenticate(const CommonOptions& common,
                          const std::string& address,
                          const PasswordSource& source) {
  const auto folder = files::load_config_folder({common.config, {}});
  auto password = read_password(source, Ask::once);
  if (!password) return tell(password.error());
  const auto* user = folder.directory.find_login(address);
  const bool right = user != nullptr && is_password_of(*user, *password);
  crypto::wipe(*password);
  if (common.output == Output::json)
    print_json({{"user", address}, {"authenticated", right}});
  else
    fmt::print("{}\n",
               right ? "right: this user and password may log in" : "wrong user or password");
  return right ? exit_done : exit_failed;
}

int run_user_guesses(const CommonOptions& common) {
  const auto answer = ask_and_tell(common, {{"command", "guesses"}});
  if (!answer) return answer.error();
  if (common.output == Output::json) return exit_done;
  const auto& guesses = answer->at("guesses").as_array();
  for (const auto& each : guesses) {
    const auto& guess = each.as_object();
    const std::chrono::seconds refused(guess.at("refused_seconds").to_number<std::int64_t>());
    fmt::print("{}: {:.0f} wrong passwords{}\n",
               guess.at("what").as_string().c_str(),
               std::ceil(guess.at("wrong").to_number<double>()),
               refused.count() > 0
                   ? fmt::format("; the next is looked at in {}", text::duration_text(refused))
                   : "");
  }
  if (guesses.empty()) fmt::print("No wrong passwords lately.\n");
  return exit_done;
}

}  // namespace

void declare_user(const Command& tapal) {
  const auto user = tapal.add_group("user", "users and their passwords", "user list");
  const auto with_password =
      [&user](const std::string& name, const std::string& help, UserCommand run) {
        const auto command =
            user.add(name, help, "user " + name + " ann@example.com --password-file secret.txt");
        auto options = std::make_shared<UserOptions>();
        command.text({"address", "the user's whole address", true}, options->address);
        command.text(
            {"--password-file", "read the password from FILE's first line; - is standard input"},
            options->password.file);
        if (run != &run_user_authenticate)
          command.flag({"--generate", "make a good password and print it"}, options->generate);
        command.changes([options, run](const auto& common) {
          if (options->generate) options->password.otherwise = PasswordSource::Otherwise::generate;
          return run(common, options->address, options->password);
        });
      };
  with_password("add", "add a user", &run_user_add);
  with_password("passwd", "set a user's password", &run_user_passwd);
  with_password("authenticate", "check a password without a server", &run_user_authenticate);

  auto options = std::make_shared<UserOptions>();
  const auto del = user.add("del", "delete a user", "user del ann@example.com");
  del.text({"address", "the user's whole address", true}, options->address);
  del.changes([options](const auto& common) { return run_user_del(common, options->address); });

  const auto list = user.add("list", "list users", "user list example.com");
  list.text({"domain", "of this domain only"}, options->domain);
  list.runs([options](const auto& common) { return run_user_list(common, options->domain); });

  declare_app_password(user);
  user.add("guesses",
           "who types wrong passwords: accounts and networks that the running server counts",
           "user guesses")
      .runs(&run_user_guesses);
}

}  // namespace tapal::app
