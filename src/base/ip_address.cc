#include "base/ip_address.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <span>

#include <arpa/inet.h>

namespace tapal {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const auto* begin = text.begin();
  const auto* end = text.end();
  const auto [last, error] = std::from_chars(begin, end, number);
  if (error != std::errc{} || last != end || text.empty()) return {};
  return number;
}

// The special-purpose networks of RFC 6890 and its IANA registries that mail must not be sent to.
constexpr std::string_view private_networks[] = {
    "0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "::/127",         "64:ff9b:1::/48",
    "100::/64",        "2001:db8::/32",  "fc00::/7",      "fe80::/10",      "ff00::/8"};

}  // namespace

std::optional<IpAddress> IpAddress::from_text(std::string_view text) {
  if (text.size() > 45 || text.contains('\0')) return {};
  const std::string copy(text);
  std::array<std::uint8_t, 4> octets{};
  if (inet_pton(AF_INET, copy.c_str(), octets.data()) == 1) return v4(octets);
  IpAddress address;
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  return {};
}

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> octets) {
  IpAddress address;
  auto* rest = std::ranges::copy(v4_prefix, address.bytes.begin()).out;
  std::ranges::copy(octets, rest);
  return address;
}

bool IpAddress::is_v4() const {
  return std::ranges::equal(std::span(bytes).first<12>(), v4_prefix);
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const char* made = is_v4() ? inet_ntop(AF_INET, bytes.data() + 12, buffer.data(), buffer.size())
                             : inet_ntop(AF_INET6, bytes.data(), buffer.data(), buffer.size());
  return made == nullptr ? "?" : made;
}

std::string IpAddress::smtp_literal() const {
  return is_v4() ? "[" + text() + "]" : "[IPv6:" + text() + "]";
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[12] == 127;
  return std::ranges::all_of(std::span(bytes).first<15>(), [](auto b) { return b == 0; }) &&
         bytes[15] == 1;
}

bool IpAddress::is_unspecified() const {
  const auto zero = [](auto b) { return b == 0; };
  return is_v4() ? std::ranges::all_of(std::span(bytes).last<4>(), zero)
                 : std::ranges::all_of(bytes, zero);
}

bool IpAddress::is_private() const {
  static const auto networks = [] {
    std::array<IpNetwork, std::size(private_networks)> parsed{};
    std::ranges::transform(private_networks, parsed.begin(), [](auto text) {
      return IpNetwork::from_text(text).value();
    });
    return parsed;
  }();
  return std::ranges::any_of(networks, [this](const auto& n) { return n.contains(*this); });
}

std::optional<IpNetwork> IpNetwork::from_text(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::from_text(text.substr(0, slash));
  if (!address) return {};
  IpNetwork network{*address, 128};
  if (slash == std::string_view::npos) return network;
  const auto bits = to_number<std::uint8_t>(text.substr(slash + 1));
  const unsigned family_bits = address->is_v4() ? 32 : 128;
  if (!bits || *bits > family_bits) return {};
  network.prefix_bits = static_cast<std::uint8_t>(*bits + (128 - family_bits));
  return network;
}

bool IpNetwork::contains(const IpAddress& other) const {
  if (address.is_v4() != other.is_v4()) return false;
  const std::size_t whole = prefix_bits / 8U;
  if (!std::equal(address.bytes.begin(),
                  address.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  other.bytes.begin()))
    return false;
  const unsigned rest = prefix_bits % 8U;
  if (rest == 0) return true;
  const unsigned mask = 0xffU << (8U - rest) & 0xffU;
  return (address.bytes[whole] & mask) == (other.bytes[whole] & mask);
}

std::string IpNetwork::text() const {
  const unsigned bits = address.is_v4() ? prefix_bits - 96U : prefix_bits;
  return address.text() + "/" + std::to_string(bits);
}

std::optional<Endpoint> Endpoint::from_text(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::from_text(host);
  const auto port = to_number<std::uint16_t>(text.substr(colon + 1));
  if (!address || !port || address->is_v4() == bracketed) return {};
  return Endpoint{*address, *port};
}

std::string Endpoint::text() const {
  const auto port_text = ":" + std::to_string(port);
  return (address.is_v4() ? address.text() : "[" + address.text() + "]") + port_text;
}

}  // namespace tapal
