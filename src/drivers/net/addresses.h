// What the system knows of addresses without asking our own resolver: this machine's own, and those
// of a name in /etc/hosts or wherever the system looks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace tapal {

// Of all interfaces that are up, loopback too.
std::vector<IpAddress> local_addresses();
// Those of them that the open internet may reach.
std::vector<IpAddress> public_addresses();

// What the system connects to `peer` from; nothing: it knows no way there. Sends nothing.
std::optional<IpAddress> address_towards(const IpAddress& peer);

// Blocks. IPv6 first as the system orders them; a literal address is itself. not_found with the
// system's words.
Result<std::vector<IpAddress>> addresses_of(const std::string& host);

}  // namespace tapal
