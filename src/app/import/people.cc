// Users and aliases of another mail server.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/password_input.h"
#include "app/config/alias_edit.h"
#include "app/config/users.h"
#include "app/import/import.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "rules/account/users_file.h"
#include "rules/alias/aliases_edit.h"
#include "rules/migrate/dead_targets.h"
#include "rules/migrate/delivery.h"
#include "values/crypto/foreign_password.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

// A user who is here already.
void compare(Import& import, const account::UserRecord& user, const migrate::OldUser& old) {
  const auto address = user.address.text();
  const bool is_same = old.clear_password.empty()
                           ? user.password_hash == old.password_hash
                           : crypto::verify_password(user.password_hash, old.clear_password);
  if (is_same)
    import.tell_there("user " + address);
  else if (!crypto::is_foreign_hash(user.password_hash))
    import.tell_there(fmt::format("user {}, with the password that was set here", address));
  else
    import.tell_conflict(fmt::format("user {}: another password than {} has", address, old.place));
}

// What is to be kept of a password; nothing when it is left, which is told.
Result<std::optional<account::Credentials>> credentials_of(Import& import,
                                                           const mail::Address& address,
                                                           const migrate::OldUser& old) {
  if (!old.password_hash.empty()) return account::Credentials{old.password_hash, {}};
  if (old.clear_password.empty()) return std::nullopt;  // told when it was read
  if (import.options.clear_passwords == ClearPasswords::leave) {
    import.tell_left(old.place,
                     fmt::format("{} has a password in the clear: --clear-passwords takes those, "
                                 "and keeps hashes of them",
                                 address.text()));
    return std::nullopt;
  }
  if (import.only_plans()) return account::Credentials{};
  TAPAL_TRY(const auto settings, load_settings(import.common.config));
  TAPAL_TRY(auto made, make_credentials(old.clear_password, settings.auth.password_cost));
  return std::optional(std::move(made));
}

Result<void> import_users_of(Import& import,
                             migrate::OldDomain& domain,
                             const account::Directory& here) {
  std::vector<account::NewUser> fresh;
  std::unordered_set<std::string> seen;
  for (auto& old : domain.users) {
    const auto address = mail::make_address(old.name, domain.name);
    const auto wrong = account::user_name_problem(old.name);
    if (!address || !wrong.empty()) {
      import.tell_left(old.place, wrong.empty() ? address.error().what : wrong);
      old.password_hash.clear();  // nobody, for aliases
      old.clear_password.clear();
      continue;
    }
    if (!seen.insert(address->key()).second) {
      import.tell_left(old.place, fmt::format("{} is there a second time", address->text()));
      continue;
    }
    if (const auto* user = here.find_login(address->text())) {
      compare(import, *user, old);
      continue;
    }
    TAPAL_TRY(auto credentials, credentials_of(import, *address, old));
    if (!credentials) continue;
    fresh.push_back({address->local, *std::move(credentials)});
  }
  if (fresh.empty()) return {};
  if (!import.only_plans()) {
    const auto file = files::users_file(import.common.config, domain.name);
    const auto change = [&](std::string_view before) { return account::add_users(before, fresh); };
    TAPAL_CHECK(files::edit_file(file, users_file_mode, change));
  }
  for (const auto& user : fresh)
    import.tell_carried(fmt::format("user {}@{}", user.name, domain.name));
  return {};
}

// An alias for people to read: what stood in somebody's file is made safe to print.
std::string shown(std::string_view name,
                  std::string_view domain,
                  const std::vector<std::string>& targets) {
  constexpr std::size_t shown_max = 2000;
  return text::printable(fmt::format("{}@{}: {}", name, domain, fmt::join(targets, ", ")),
                         shown_max);
}

// As an aliases file has a name.
std::string name_text(const std::string& name, const std::string& domain) {
  const auto address = mail::make_address(name, domain);
  return address ? address->text().substr(0, address->text().size() - domain.size() - 1) : name;
}

bool is_same(std::vector<std::string> a, std::vector<std::string> b) {
  for (auto* each : {&a, &b}) {
    for (auto& target : *each) target = text::to_lower(target);
    std::ranges::sort(*each);
  }
  return a == b;
}

Result<void> import_aliases_of(Import& import, const migrate::OldDomain& domain) {
  const auto file = files::aliases_file(import.common.config, domain.name);
  std::unordered_map<std::string, std::vector<std::string>> here;
  for (auto& listed : alias::list_aliases(files::read_file(file).value_or("")))
    here.try_emplace(alias::alias_key(listed.name, domain.name), std::move(listed.targets));
  std::string lines;
  std::vector<std::string> told;
  for (const auto& old : domain.aliases) {
    const auto name = old.name == "*" ? old.name : name_text(old.name, domain.name);
    const auto what = shown(name, domain.name, old.targets);
    const auto [kept, is_new] = here.try_emplace(alias::alias_key(name, domain.name), old.targets);
    if (is_new) {
      lines += fmt::format("{}: {}\n", name, fmt::join(old.targets, ", "));
      told.push_back(what);
    } else if (is_same(kept->second, old.targets)) {
      import.tell_there(what);
    } else {
      import.tell_conflict(fmt::format(
          "{} ({}): here it is {}", what, old.place, shown(name, domain.name, kept->second)));
    }
  }
  if (lines.empty()) return {};
  const auto change = [&](std::string_view before) -> Result<std::string> {
    const bool is_cut = !before.empty() && !before.ends_with('\n');
    return fmt::format("{}{}{}", before, is_cut ? "\n" : "", lines);
  };
  if (!import.only_plans()) {
    const auto written = edit_aliases_file(import.common, domain.name, change);
    if (!written) {
      import.tell_conflict(fmt::format("the aliases of {}: {}", domain.name, written.error().what));
      return {};
    }
  }
  for (const auto& what : told) import.tell_carried(what);
  return {};
}

}  // namespace

Result<void> import_users(Import& import) {
  const auto here = files::load_config_folder({import.common.config, {}});
  for (auto& [name, domain] : import.inventory.domains) {
    TAPAL_CHECK(import_users_of(import, domain, here.directory));
  }
  return {};
}

Result<void> import_aliases(Import& import) {
  using Status = alias::Resolution::Status;
  const auto here = files::load_config_folder({import.common.config, {}});
  migrate::lead_mailboxes(import.inventory);
  migrate::drop_dead_targets(import.inventory, [&](const mail::Address& address) {
    if (here.directory.find(address) != nullptr) return migrate::Known::user;
    const auto status = here.aliases.resolve(address).status;
    return status == Status::unknown || status == Status::not_ours ? migrate::Known::nobody
                                                                   : migrate::Known::address;
  });
  for (const auto& [name, domain] : import.inventory.domains) {
    TAPAL_CHECK(import_aliases_of(import, domain));
  }
  return {};
}

}  // namespace tapal::app
