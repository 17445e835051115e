// What commands ask DNS about mail servers.
#pragma once

#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "ports/resolver.h"

namespace tapal::app {

// Where a name leads, IPv6 first. not_found: nowhere.
Task<Result<std::vector<IpAddress>>> host_addresses(Loop& loop,
                                                    Resolver& resolver,
                                                    std::string host);
// The host of the domain's most preferred MX. not_found: there is none.
Task<Result<std::string>> best_exchange(Loop& loop, Resolver& resolver, std::string domain);

}  // namespace tapal::app
