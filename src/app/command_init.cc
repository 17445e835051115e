#include <fmt/format.h>

#include "app/commands.h"
#include "app/password_input.h"
#include "app/settings.h"
#include "app/setup.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "values/crypto/hash.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

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
    if (run_user_add(common, address, source) != exit_done)
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

}  // namespace

int run_init(const CommonOptions& common, const InitOptions& options) {
  if (const auto done = init(common, options); !done) {
    fmt::print(stderr, "tapal: {}\n", done.error().what);
    return exit_failed;
  }
  return exit_done;
}

}  // namespace tapal::app
