// The DKIM keys of an OpenDKIM beside another mail server: opendkim.conf's Domain, Selector and
// KeyFile, or its KeyTable and SigningTable.
#pragma once

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

// Adds keys to the domains of the inventory; those of other domains are left behind. Nothing where
// there is no /etc/opendkim.conf.
void add_opendkim_keys(const OldFiles& files, Inventory& inventory);

}  // namespace tapal::migrate
