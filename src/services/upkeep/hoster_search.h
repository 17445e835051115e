// Which hoster rents this machine out: by who made it, by the hosters' own services for their
// machines, by the names of its addresses, and by whom the registries gave those to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ports/resolver.h"
#include "rules/provision/hosters.h"
#include "services/upkeep/rdap.h"

namespace tapal::upkeep {

struct HosterSearch {
  Resolver& resolver;
  RdapWorld registries;

  std::string machine_vendor;  // the text of /sys/class/dmi/id/sys_vendor
  std::vector<IpAddress> addresses;
};

// The cheapest sign first; the first that tells ends it. Null: none tells. Half a minute at most.
Task<const provision::Hoster*> search_hoster(HosterSearch search);

// Names of networks and of those who have them, out of RDAP's answer about an address.
std::vector<std::string> organisations_from_json(std::string_view json);

}  // namespace tapal::upkeep
