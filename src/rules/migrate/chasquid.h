// What a configuration folder of chasquid (/etc/chasquid) has:
//   chasquid.conf; domains/DOMAIN/{users,aliases,dkim:SELECTOR.pem,dkim_selector};
//   certs/NAME/{fullchain,privkey,dkim_privkey}.pem; hooks/
#pragma once

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

// Paths are from the folder on. Error: it is no such folder, or chasquid.conf cannot be read. What
// is wrong with one domain is left behind, and told.
Result<Inventory> read_chasquid(const OldFiles& files);

}  // namespace tapal::migrate
