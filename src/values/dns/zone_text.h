// Records as text: master files (RFC 1035 section 5) read and written.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "values/dns/record.h"

namespace tapal::dns {

struct ZoneTextOptions {
  std::string origin;                      // canonical; $ORIGIN changes it
  std::chrono::seconds default_ttl{3600};  // until $TTL
  std::size_t bytes_max = 16UL << 20;
  std::size_t records_max = 1'000'000;
  std::size_t entry_bytes_max = 65536;  // one entry, with its continuation lines
};

inline constexpr std::uint32_t ttl_max = 0x7fff'ffff;  // seconds (RFC 2181 section 8)

// "3600" or "1h30m" (units s m h d w), at most ttl_max.
std::optional<std::uint32_t> parse_ttl(std::string_view text);

// Code::invalid begins with "line N:". $ORIGIN and $TTL are known, $INCLUDE and $GENERATE are
// refused.
Result<std::vector<Record>> parse_zone_text(std::string_view text,
                                            const ZoneTextOptions& options = {});

// One line without its line end; names absolute: what any zone file takes.
std::string to_zone_text(const Record& record);
std::string to_zone_text(std::span<const Record> records);  // one line each

}  // namespace tapal::dns
