// IPv4 and IPv6 addresses and networks as values, and what kind of place an address is.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tapal {

// IPv4 is kept in its mapped form ::ffff:a.b.c.d, so that both families compare and hash alike.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const IpAddress&) const = default;

  static std::optional<IpAddress> from_text(std::string_view text);  // no zone index, no brackets
  static IpAddress v4(std::array<std::uint8_t, 4> octets);

  bool is_v4() const;
  std::string text() const;          // 192.0.2.1 or 2001:db8::1 (RFC 5952)
  std::string smtp_literal() const;  // [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 section 4.1.3)
  bool is_loopback() const;
  bool is_unspecified() const;
  // Not reachable over the open internet: private, link-local, shared, documentation, multicast,
  // reserved, loopback or unspecified (RFC 6890 and its IANA registries).
  bool is_private() const;
};

// A network in CIDR form; a lone address is a network of one.
struct IpNetwork {
  IpAddress address;
  std::uint8_t prefix_bits = 128;  // of the 128; IPv4 prefixes are stored plus 96

  static std::optional<IpNetwork> from_text(std::string_view text);
  bool contains(const IpAddress& other) const;
  std::string text() const;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
  // "192.0.2.1:25" or "[2001:db8::1]:25".
  static std::optional<Endpoint> from_text(std::string_view text);
  std::string text() const;
};

}  // namespace tapal
