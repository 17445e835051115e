#include "rules/migrate/delivery.h"

#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "rules/alias/aliases_edit.h"

namespace tapal::migrate {
namespace {

void lead_mailboxes_of(OldDomain& domain, const std::string& target) {
  std::unordered_set<std::string> users;
  for (const auto& user : domain.users)
    if (!user.password_hash.empty() || !user.clear_password.empty())
      users.insert(alias::alias_key(user.name, domain.name));
  std::unordered_set<std::string> led;
  for (auto& each : domain.aliases) {
    const auto key = alias::alias_key(each.name, domain.name);
    led.insert(key);
    if (!users.contains(key)) continue;
    for (auto& to : each.targets)
      if (alias::alias_key(to, domain.name) == key || to == each.name + "@" + domain.name)
        to = target;
  }
  for (const auto& user : domain.users) {
    const auto key = alias::alias_key(user.name, domain.name);
    if (users.contains(key) && led.insert(key).second)
      domain.aliases.push_back({user.name, {target}, user.place});
  }
}

}  // namespace

std::string lmtp_target(std::string_view place) {
  return fmt::format(":lmtp: {}{}", place.starts_with('/') ? "unix:" : "", place);
}

void lead_mailboxes(Inventory& inventory) {
  if (inventory.mailbox_target.empty()) return;
  for (auto& [name, domain] : inventory.domains)
    lead_mailboxes_of(domain, inventory.mailbox_target);
}

}  // namespace tapal::migrate
