#include "rules/migrate/inventory.h"

#include <utility>

namespace tapal::migrate {

OldDomain* Inventory::find(std::string_view domain) {
  const auto found = domains.find(domain);
  return found == domains.end() ? nullptr : &found->second;
}

void Inventory::add(OldDomain&& domain) {
  auto name = domain.name;
  domains.try_emplace(std::move(name), std::move(domain));
}

}  // namespace tapal::migrate
