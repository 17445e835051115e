// What configuration says about accepting mail.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "protocols/smtp/server_options.h"

namespace tapal::intake {

struct Options {
  std::string host_name;
  std::vector<IpNetwork> trusted_networks;  // may relay on port 25 without a password
  std::uint32_t hops_max = 50;              // Received fields; RFC 5321 section 6.3
  std::chrono::seconds dkim_lifetime = std::chrono::days(7);  // x=: the queue's life and two days
  smtp::ServerLimits limits;
  // For headers and recipient lists of messages being taken in, of each loop; more are answered
  // 452.
  std::uint64_t receiving_memory_max = 64ULL * 1024 * 1024;
};

}  // namespace tapal::intake
