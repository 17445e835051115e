// Who the server is and who lives on it: names, keys, the first user, the addresses of the roles.
#include <algorithm>

#include <fmt/format.h>

#include "app/config/alias_edit.h"
#include "app/config/setup.h"
#include "app/config/users.h"
#include "app/settings/settings.h"
#include "app/up/up.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "rules/alias/aliases_edit.h"
#include "values/crypto/hash.h"

namespace tapal::app {
namespace {

// RFC 2142; where reports about the domain's mail go.
constexpr std::string_view role_names[] = {"postmaster", "abuse", "reports"};

std::vector<alias::ListedAlias> aliases_of(const Up& up) {
  const auto text = files::read_file(files::aliases_file(up.common.config, up.domain));
  return text ? alias::list_aliases(*text) : std::vector<alias::ListedAlias>();
}

bool is_user(const Up& up) {
  const auto folder = files::load_config_folder({up.common.config, {}});
  const auto users = folder.directory.users(up.domain);
  return std::ranges::any_of(users,
                             [&](const auto& user) { return user.address.key() == up.user.key(); });
}

Result<void> have_alias(Up& up, std::string_view name, const std::string& target) {
  const auto aliases = aliases_of(up);
  const auto it = std::ranges::find(aliases, name, &alias::ListedAlias::name);
  const auto address = fmt::format("{}@{}", name, up.domain);
  if (it != aliases.end()) {
    up.report.tell(Mark::fine, fmt::format("{} goes to {}", address, fmt::join(it->targets, ", ")));
    return {};
  }
  if (up.only_plans()) {
    up.report.tell(Mark::planned, fmt::format("{} will go to {}", address, target));
    return {};
  }
  TAPAL_CHECK(edit_alias(up.common, address, std::span(&target, 1), &alias::add_alias));
  up.report.tell(Mark::changed, fmt::format("{} goes to {}", address, target));
  return {};
}

}  // namespace

Result<void> up_identity(Up& up) {
  up.report.tell(Mark::fine, fmt::format("{} is served by {}", up.domain, up.hostname));
  if (up.only_plans() && !up.on_scratch) return {};
  SetupOptions setup{.config = up.common.config,
                     .domain = up.domain,
                     .hostname = up.hostname,
                     .state_folder = up.options.state_folder,
                     .certificate = SetupOptions::Certificate::none};
  TAPAL_TRY(const auto made, set_up(setup));
  for (const auto& line : made.done)
    up.report.tell(!line.starts_with("made") ? Mark::fine
                   : up.only_plans()         ? Mark::planned
                                             : Mark::changed,
                   line.substr(line.find_first_not_of(' ', line.find(' '))));
  TAPAL_TRY(const auto settings, load_settings(up.common.config));
  if (settings.hostname != up.hostname)
    return fail(Code::invalid,
                fmt::format("the settings name this server {0}: run this with --hostname {0}, or "
                            "`tapal config set hostname {1}`",
                            settings.hostname,
                            up.hostname));
  return up_settings(up);
}

Result<void> up_first_user(Up& up) {
  if (is_user(up)) {
    up.report.tell(Mark::fine, fmt::format("{} can log in", up.user.text()));
    return {};
  }
  if (up.only_plans()) {
    up.report.tell(Mark::planned, fmt::format("user {} with a generated password", up.user.text()));
    return {};
  }
  TAPAL_TRY(auto password, add_user_with_new_password(up.common, up.user.text()));
  up.report.tell(Mark::changed,
                 fmt::format("{} can log in at {}, port 465 with TLS or 587 with STARTTLS",
                             up.user.text(),
                             up.hostname));
  up.report.tell_secret("password (kept nowhere: note it)", password);
  crypto::wipe(password);
  return {};
}

Result<void> up_aliases(Up& up) {
  const auto target = up.forward.empty() ? up.user.text() : up.forward.front().text();
  for (const auto name : role_names) {
    if (name == up.user.local) continue;
    TAPAL_CHECK(have_alias(up, name, target));
  }
  if (up.forward.empty()) return {};
  TAPAL_CHECK(have_alias(up, up.user.local, target));
  return have_alias(up, "*", target);
}

}  // namespace tapal::app
