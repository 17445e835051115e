// Targets of imported aliases that lead to nobody: another server bounces their mail when it comes,
// ours refuses the file. They are taken out, and aliases that lead nowhere then, too.
#pragma once

#include <cstdint>
#include <functional>

#include "rules/migrate/inventory.h"
#include "values/mail/address.h"

namespace tapal::migrate {

// What an address is to the server that the inventory comes to.
enum class Known : std::uint8_t {
  nobody,
  address,  // an alias, a catch-all, a role: mail for it is taken
  user,
};
using AskKnown = std::function<Known(const mail::Address&)>;

// Also takes out what has not the form of an alias here. Each is left behind, with its reason.
// Users of the inventory without a password count as nobody.
void drop_dead_targets(Inventory& inventory, const AskKnown& ask_known);

}  // namespace tapal::migrate
