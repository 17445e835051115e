// The message that makes a primary server change a zone (RFC 2136). All of it is done, or nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "values/dns/record_set.h"

namespace tapal::dns {

inline constexpr std::uint8_t update_opcode = 5;

// Each set takes the place of what is there: an empty one is only taken away. They are done in
// their order. A CNAME replaces another by itself (RFC 2136 section 3.4.2.2), and Knot loses one
// that comes behind the removal of the old. Code::invalid when a name or data cannot be written, or
// all is over 65535 bytes.
Result<std::string> write_update(std::uint16_t id,
                                 std::string_view zone,
                                 std::span<const RecordSet> sets);

}  // namespace tapal::dns
