#include <fmt/format.h>

#include "app/cli/password_input.h"
#include "app/commands/commands.h"
#include "app/config/setup.h"
#include "app/config/users.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "values/crypto/hash.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

struct InitOptions {
  std::string domain;
  std::string hostname;  // empty: mail.<domain>
  std::string user = "postmaster";
  std::string state_folder;  // empty: the default
  PasswordSource password;
};

Result<void> init(const CommonOptions& common, const InitOptions& options) {
  TAPAL_TRY(const auto domain, text::domain_to_ascii(options.domain));
  SetupOptions setup{
      .config = common.config, .domain = domain, .state_folder = options.state_folder};
  setup.hostname = options.hostname.empty() ? "mail." + domain : options.hostname;
  TAPAL_CHECK(text::check_hostname(setup.hostname));
  TAPAL_TRY(const auto made, set_up(setup));
  for (const auto& line : made.done) fmt::print("{}\n", line);

  const auto address = fmt::format("{}@{}", options.user, domain);
  const auto file = files::users_file(common.config, domain);
  if (const auto users = files::read_file(file); users && !users->empty()) {
    fmt::print("kept    {}\n", file.string());
  } else {
    PasswordSource source = options.password;
    if (source.file.empty()) source.otherwise = PasswordSource::Otherwise::generate;
    if (give_password(common, address, source, &account::add_user) != exit_done)
      return fail(Code::invalid, "the first user was not made");
  }
  fmt::print("\nPublish this record so that receivers can check the signatures:\n{}\n",
             made.dkim_record);
  fmt::print(
      "\nThe certificate is self-signed: put a real one into certs/{}/ (fullchain.pem, "
      "privkey.pem).\n"
      "Next: tapal config check, then tapal serve\n",
      setup.hostname);
  return {};
}

int run_init(const CommonOptions& common, const InitOptions& options) {
  const auto done = init(common, options);
  return done ? exit_done : tell(done.error());
}

}  // namespace

void declare_init(const Command& tapal) {
  const auto init = tapal.add("init",
                              "make the configuration for a domain",
                              "init example.com --hostname mail.example.com");
  auto options = std::make_shared<InitOptions>();
  init.text({"domain", "the domain that mail is sent from", true}, options->domain);
  init.text({"--hostname", "this machine's name; default mail.DOMAIN"}, options->hostname);
  init.text({"--user", "the first user's name; default postmaster"}, options->user);
  init.text({"--state-folder", "where the queue is kept; default /var/lib/tapal"},
            options->state_folder);
  init.text({"--password-file", "the first user's password; default: one is made"},
            options->password.file);
  init.changes([options](const auto& common) { return run_init(common, *options); });
}

}  // namespace tapal::app
