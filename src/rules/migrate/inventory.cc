#include "rules/migrate/inventory.h"

#include <algorithm>

namespace tapal::migrate {

OldDomain* Inventory::find(std::string_view domain) {
  const auto found = std::ranges::find(domains, domain, &OldDomain::name);
  return found == domains.end() ? nullptr : &*found;
}

}  // namespace tapal::migrate
