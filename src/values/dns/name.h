// Domain names: from and to text and wire form. A name is kept as a string in canonical
// presentation form: lower case, no final dot, "" for the root; bytes that would be misread are
// escaped as \DDD or \X (RFC 1035 section 5.1), so two equal names are two equal strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace tapal::dns {

// RFC 1035 section 2.3.4.
inline constexpr std::size_t label_bytes_max = 63;
inline constexpr std::size_t name_wire_bytes_max = 255;  // length bytes and the root's included

// What a person or a file wrote, made canonical; "." and "" are the root. Code::invalid names the
// fault: an empty label, a label or name too long, a broken escape. Not IDNA: U-labels come in as
// A-labels.
Result<std::string> parse_name(std::string_view text);

// The same as a master file has it: "@" is `origin`, and a name without a final dot is below it.
Result<std::string> parse_relative_name(std::string_view text, std::string_view origin);

// The functions below take canonical names.

std::string absolute(std::string_view name);  // with its final dot

// The same as `zone`, or below it.
bool is_subdomain_of(std::string_view name, std::string_view zone);
// The name without its first label; the root's parent is the root.
std::string_view parent_of(std::string_view name);
// Each label in canonical text, first label first.
std::vector<std::string_view> labels_of(std::string_view name);
// Where PTR records of an address are: 1.2.0.192.in-addr.arpa or nibbles under ip6.arpa (RFC 3596).
std::string reverse_name(const IpAddress& address);

struct NameAt {
  std::string name;
  std::size_t end = 0;  // the offset behind the name (behind its first pointer, if there is one)
};
// Reads a name at `offset` of a message. Compression pointers must point backwards and are followed
// a bounded number of times (RFC 1035 section 4.1.4).
Result<NameAt> name_from_wire(std::string_view message, std::size_t offset);
// Uncompressed. Code::invalid when the name is not a valid one.
Result<std::string> name_to_wire(std::string_view name);

// Appends names to one message, pointing to suffixes that are already in it.
class NameWriter {
 public:
  Result<void> append(std::string& message, std::string_view name);
  // Forgets what was written at `size` and behind it: the message was cut there.
  void forget_from(std::size_t size);

 private:
  std::unordered_map<std::string, std::uint16_t> offsets_;  // a suffix in wire form → where it is
};

}  // namespace tapal::dns
