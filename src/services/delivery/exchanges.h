// A domain's mail exchangers as DNS has them (RFC 5321 section 5.1, RFC 7505).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/task.h"
#include "ports/random.h"
#include "ports/resolver.h"
#include "services/delivery/options.h"
#include "values/dns/record.h"

namespace tapal::delivery {

// Nobody to try: why, with the enhanced status code that tells whether it is for good (5.x.x).
struct NoHost {
  std::string status;
  std::string text;

  bool operator==(const NoHost&) const = default;
};

// Who we are, so that mail is never sent to ourselves by way of DNS.
struct OwnNames {
  std::string host_name;
  std::vector<IpAddress> addresses;
};

struct FindHosts {
  Loop& loop;
  Resolver& resolver;
  Random& random;
  const Options& options;
  const OwnNames& own;
  AddressFamily reach = AddressFamily::both;  // where the attempt's source can send to
};

// One question's answer, or why there is none, in the terms of RFC 3463.
using Found = std::variant<DnsAnswer, NoHost>;
Task<Found> ask(FindHosts find, std::string name, dns::Type type);

struct Exchange {
  std::uint16_t preference = 0;
  std::uint64_t lot = 0;  // drawn for each: equal preferences come in random order
  std::string name;

  auto operator<=>(const Exchange&) const = default;
};
using Exchanges = std::variant<std::vector<Exchange>, NoHost>;

// In the order to try them, at least one; without MX records the domain itself. Ourselves and those
// after us are left out. What `find` refers to must outlive the task.
Task<Exchanges> find_exchanges(FindHosts find, std::string domain);

}  // namespace tapal::delivery
