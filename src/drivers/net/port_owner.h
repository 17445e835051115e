// Inside drivers/net only: who has a port, as far as /proc tells us.
#pragma once

#include <cstdint>
#include <string>

namespace tapal {

// "postfix/master (process 812)"; empty when it cannot be told (another user's process, usually).
std::string port_owner(std::uint16_t port);

}  // namespace tapal
