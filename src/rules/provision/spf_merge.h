// Adds addresses to an SPF record that somebody else wrote: everything they allow stays, nothing is
// loosened, and the record stays one.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"

namespace tapal::provision {

// `records` are the published ones, at least one. What comes out is the first, byte for byte,
// where it allows the addresses already. Several records, which receivers refuse to read (RFC 7208
// section 4.5), become one with the terms of all and the strictest end of them.
// Code::invalid says why no merge is possible, and what to do.
Result<std::string> merge_spf(std::span<const std::string_view> records,
                              std::span<const IpAddress> addresses);

// Without those of `terms` ("ip4:192.0.2.9") that name none of `addresses`.
std::string spf_without(std::string_view record,
                        std::span<const std::string> terms,
                        std::span<const IpAddress> addresses);

// Whether the record passes `address` by an ip4 or ip6 term of its own, whatever DNS says.
bool spf_names_address(std::string_view record, const IpAddress& address);

}  // namespace tapal::provision
