// A record's data in wire form and in master-file text, for the types that have their own syntax;
// all others go through as bytes (RFC 3597).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "values/dns/record.h"

namespace tapal::dns {

inline constexpr std::size_t string_bytes_max = 255;  // <character-string>, RFC 1035 section 3.3

// RFC 1035 section 3.3.13. Kept in a Record as RawData.
struct StartOfAuthority {
  std::string primary;  // name server
  std::string mailbox;  // of who is responsible, as a name
  std::uint32_t serial = 0;
  std::uint32_t refresh_seconds = 0;
  std::uint32_t retry_seconds = 0;
  std::uint32_t expire_seconds = 0;
  std::uint32_t minimum_seconds = 0;  // how long a negative answer may be kept (RFC 2308 section 5)

  auto operator<=>(const StartOfAuthority&) const = default;
};
Result<StartOfAuthority> soa_from_data(const Data& data);
Result<Data> soa_to_data(const StartOfAuthority& soa);

// Whether a record of `type` holds this kind of data.
bool data_fits(Type type, const Data& data);

// Reads `size` bytes at `offset` of a whole message, which names may point into; names inside SOA,
// SRV and the like come out uncompressed.
struct DataPlace {
  std::size_t offset = 0;
  std::size_t size = 0;
};
Result<Data> data_from_wire(Type type, std::string_view message, DataPlace place);
// Uncompressed. Code::invalid when `data` is not of the kind that `type` has or is too long.
Result<std::string> data_to_wire(Type type, const Data& data);

// The strings of a TXT record: `value` in pieces of 255 bytes, at least one.
std::vector<std::string_view> text_strings(const Text& text);

// One field of a line of a master file, escapes still in it.
struct TextField {
  std::string_view text;
  bool is_quoted = false;
};
// Relative names are completed with `origin`. Knows A AAAA NS CNAME PTR MX TXT SOA SRV DS DNSKEY
// TLSA CAA, and for every type the form \# length hex of RFC 3597.
Result<Data> data_from_text(Type type, std::span<const TextField> fields, std::string_view origin);
// Names absolute, with their final dot; TXT in strings of at most 255 bytes.
std::string data_to_text(Type type, const Data& data);

}  // namespace tapal::dns
