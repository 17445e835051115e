// What configuration says about accepting mail.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "protocols/smtp/server_options.h"
#include "rules/forward/plan.h"

namespace tapal::intake {

struct Options {
  std::string host_name;
  std::vector<IpNetwork> trusted_networks;  // may relay on port 25 without a password
  std::uint32_t hops_max = 50;              // Received fields; RFC 5321 section 6.3
  std::chrono::seconds dkim_lifetime = std::chrono::days(7);  // x=: the queue's life and two days
  smtp::ServerLimits limits;
  std::chrono::seconds check_time_max{20};    // for all of DNS that checks of one message need
  forward::Remedies remedies;                 // for what an alias passes on and would not pass
  std::vector<std::string> bulk_users;        // whose mail goes after everybody else's
  bool seals_arc = true;                      // what an alias passes on
  bool uses_junk_folder = true;               // of our users, for what is kept aside
  std::chrono::seconds forward_patience{60};  // a sender waits for the target's answer; 0: never
  // For headers and recipient lists of messages being taken in, of each loop; more are answered
  // 452.
  std::uint64_t receiving_memory_max = 64ULL * 1024 * 1024;
};

}  // namespace tapal::intake
