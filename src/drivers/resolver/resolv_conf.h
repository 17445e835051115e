// The name servers of /etc/resolv.conf (resolv.conf(5)); its search list and options do not concern
// mail.
#pragma once

#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace tapal {

inline constexpr std::size_t name_servers_max = 8;  // further ones are left out

// A server is ADDRESS (port 53) or ADDRESS:PORT with brackets around IPv6. What is not that is
// skipped: link-local addresses with a zone too. With none left it is the local host's, as the C
// library has it.
std::vector<Endpoint> servers_of_resolv_conf(std::string_view text);

}  // namespace tapal
