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
#include "rules/shaping/source.h"

namespace tapal::delivery {

enum class TlsMode : std::uint8_t {
  never,
  opportunistic,  // STARTTLS when offered, certificate not checked (RFC 3207, RFC 7435)
  required,       // STARTTLS with a certificate that holds, or no delivery
  implicit,       // TLS from the first byte, certificate checked (RFC 8314)
};

enum class Protocol : std::uint8_t { smtp, lmtp };
enum class AddressFamily : std::uint8_t { both, ipv4, ipv6 };
bool is_of(AddressFamily family, const IpAddress& address);

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
  shaping::SourceOptions sources;    // as they are set: sources_of() adds what stands above
  bool reverse_dns_required = true;  // public addresses without it are not sent from
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

// What forwarded mail leaves from where no pool is set for it.
inline constexpr std::string_view forward_source = "forward.source";

// What mail along routes leaves from, and all other mail where no sources are set.
shaping::Source usual_source(const Options& options);

// The sources and pools that are set, or the usual one, and the one of forwarded mail where there
// is one.
shaping::SourceOptions sources_of(const Options& options);

// The addresses that settings name for sending, without those of a family that is not used. None:
// the system chooses.
std::vector<IpAddress> source_addresses(const Options& options);

}  // namespace tapal::delivery
