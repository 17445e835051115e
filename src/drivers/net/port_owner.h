// Who has a port, as far as /proc tells us.
#pragma once

#include <cstdint>
#include <string>

namespace tapal {

// "postfix/master (process 812)", or the user whose process it is where its name may not be read;
// empty when nobody listens there.
std::string port_owner(std::uint16_t port);

}  // namespace tapal
