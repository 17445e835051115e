// What configuration says about sending.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"

namespace tapal::delivery {

enum class TlsMode : std::uint8_t {
  never,
  opportunistic,  // STARTTLS when offered, certificate not checked (RFC 3207, RFC 7435)
  required,       // STARTTLS with a certificate that holds, or no delivery
  implicit,       // TLS from the first byte, certificate checked (RFC 8314)
};

enum class Protocol : std::uint8_t { smtp, lmtp };
enum class AddressFamily : std::uint8_t { both, ipv4, ipv6 };

// Where a domain's mail goes instead of to its MX hosts. A configured route is trusted: it may
// lead to private and loopback addresses.
struct Route {
  std::string host;  // a name or an IP address, without brackets
  std::uint16_t port = 25;
  TlsMode tls = TlsMode::opportunistic;
  Protocol protocol = Protocol::smtp;
  std::string user;  // empty: no AUTH
  std::string password;
  std::string socket;  // the path of a unix socket, in place of host and port

  bool operator==(const Route&) const = default;
};

// Keys: "example.com", "*.example.com" (every name below it), "*" (everything else).
using RouteTable = std::map<std::string, Route, std::less<>>;

// The most exact route for a domain (A-label form, lower case), or nothing.
const Route* find_route(const RouteTable& routes, std::string_view domain);

// Mail POSTed to a web server.
struct WebhookOptions {
  std::string key;  // signs; empty: nothing is sent, since nobody could tell it from a forgery
  std::chrono::seconds time_max{30};
};

struct Options {
  std::string ehlo_name;  // empty: the host name
  std::uint16_t port = 25;
  TlsMode tls = TlsMode::opportunistic;
  AddressFamily family = AddressFamily::both;
  bool allow_private_addresses = false;
  std::optional<IpAddress> source_ipv4;
  std::optional<IpAddress> source_ipv6;
  std::optional<IpAddress> forward_source_ipv4;  // of what aliases pass on; nothing: as the others
  std::optional<IpAddress> forward_source_ipv6;
  std::size_t connections_max = 500;
  std::size_t connections_per_destination_max = 20;
  std::size_t recipients_per_transaction_max = 100;
  std::size_t messages_per_connection_max = 100;
  std::size_t hosts_per_attempt_max = 5;  // addresses tried before the attempt is a deferral
  std::size_t cached_body_bytes_max = 64U << 20U;  // bodies kept at hand between 250 and delivery
  std::chrono::seconds idle_connection{10};        // how long a warm connection waits for more work
  std::chrono::seconds connect_timeout{30};
  // When the reply to a whole message was lost, the peer may have it: a second copy is worse than
  // waiting (RFC 1047).
  std::chrono::seconds retry_after_lost_reply = std::chrono::hours(1);
  std::chrono::seconds program_time_max{60};  // of a program that mail is piped into
  WebhookOptions webhook;
  RouteTable routes;
};

}  // namespace tapal::delivery
