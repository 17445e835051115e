// Which hosts take a domain's mail, in the order to try them (RFC 5321 section 5, RFC 7505).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "services/delivery/exchanges.h"
#include "services/delivery/options.h"
#include "values/mail/envelope.h"

namespace tapal::delivery {

struct Host {
  std::string name;  // as TLS will verify it; an address in brackets for a literal
  Endpoint endpoint;
  std::string socket = {};  // the path of a unix socket, in place of the endpoint

  bool operator==(const Host&) const = default;
  std::string text() const;  // "mx.example.com [2001:db8::1]:25", "unix:/run/x.sock"
};

struct Hosts {
  std::vector<Host> hosts;  // at least one, at most options.hosts_per_attempt_max
};

using Destination = std::variant<Hosts, NoHost>;

// Where mail goes: along the route where there is one, else to the domain's hosts.
struct Way {
  std::string domain;
  std::optional<Route> route;
};

// As the recipient's handover says (kinds host and lmtp), else as the settings' routes do. Code
// invalid: the handover's target makes no sense.
Result<Way> way_of(const Options& options, const mail::Recipient& recipient);

// Addresses that are private or our own are left out, unless `options` allow them or a route leads
// there. What FindHosts refers to must outlive the task.
Task<Destination> find_hosts(FindHosts find, Way way);

}  // namespace tapal::delivery
