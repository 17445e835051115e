// DNS resource records as values (RFC 1035, RFC 3596).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip_address.h"

namespace tapal::dns {

enum class Type : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33,
  opt = 41,
  ds = 43,
  rrsig = 46,
  dnskey = 48,
  tlsa = 52,
  caa = 257,
};

std::string type_text(Type type);  // "MX"; "TYPE999" for others (RFC 3597)
std::optional<Type> type_from_text(std::string_view text);

// Names are kept in presentation form: lower case, no final dot, "" is the root.

struct MailExchange {
  std::uint16_t preference = 0;
  std::string exchange;  // "" is the null MX of RFC 7505
  auto operator<=>(const MailExchange&) const = default;
};

// The strings of a TXT record joined, as SPF and DKIM read them (RFC 7208 section 3.3).
struct Text {
  std::string value;
  auto operator<=>(const Text&) const = default;
};

struct NameTarget {  // CNAME, NS, PTR
  std::string name;
  auto operator<=>(const NameTarget&) const = default;
};

struct RawData {  // any other type: RDATA as on the wire
  std::string bytes;
  auto operator<=>(const RawData&) const = default;
};

using Data = std::variant<IpAddress, MailExchange, Text, NameTarget, RawData>;

struct Record {
  std::string name;
  Type type = Type::a;
  std::chrono::seconds ttl{0};
  Data data;

  bool operator==(const Record&) const = default;
};

}  // namespace tapal::dns
