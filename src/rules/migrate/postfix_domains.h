// The domains that a Postfix takes mail for, and who gets it.
#pragma once

#include <string>

#include "rules/migrate/inventory.h"
#include "rules/migrate/main_cf.h"

namespace tapal::migrate {

// Adds domains and aliases to the inventory. Gives the home domain, where addresses without a
// domain belong ($myorigin's part in mydestination): empty when there is none.
std::string add_postfix_domains(const OldFiles& files, const MainCf& main, Inventory& inventory);

// Mailboxes that nobody in the inventory has: left behind by name.
void tell_postfix_mailboxes(const OldFiles& files, const MainCf& main, Inventory& inventory);

}  // namespace tapal::migrate
