// The service extensions that tapal knows, one row each: the keyword of the EHLO reply and where
// it is specified.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "values/text/ascii.h"

namespace tapal::smtp {

enum class Extension : std::uint8_t {
  pipelining,
  size,
  eight_bit_mime,
  binary_mime,
  chunking,
  enhanced_status_codes,
  starttls,
  smtputf8,
  dsn,
  limits,
  require_tls,
  auth,
};

struct ExtensionRow {
  Extension extension;
  std::string_view keyword;
  std::string_view specification;
};

// In the order of the enumeration, which is the order of our EHLO reply.
inline constexpr std::array extension_rows = {
    ExtensionRow{Extension::pipelining, "PIPELINING", "RFC 2920"},
    ExtensionRow{Extension::size, "SIZE", "RFC 1870"},
    ExtensionRow{Extension::eight_bit_mime, "8BITMIME", "RFC 6152"},
    ExtensionRow{Extension::binary_mime, "BINARYMIME", "RFC 3030"},
    ExtensionRow{Extension::chunking, "CHUNKING", "RFC 3030"},
    ExtensionRow{Extension::enhanced_status_codes, "ENHANCEDSTATUSCODES", "RFC 2034"},
    ExtensionRow{Extension::starttls, "STARTTLS", "RFC 3207"},
    ExtensionRow{Extension::smtputf8, "SMTPUTF8", "RFC 6531"},
    ExtensionRow{Extension::dsn, "DSN", "RFC 3461"},
    ExtensionRow{Extension::limits, "LIMITS", "RFC 9422"},
    ExtensionRow{Extension::require_tls, "REQUIRETLS", "RFC 8689"},
    ExtensionRow{Extension::auth, "AUTH", "RFC 4954"},
};

constexpr const ExtensionRow& row_of(Extension extension) {
  return extension_rows.at(static_cast<std::size_t>(extension));
}

// Keywords have no case (RFC 5321 section 2.4).
inline std::optional<Extension> extension_from_keyword(std::string_view keyword) {
  for (const ExtensionRow& row : extension_rows)
    if (text::equals_ignoring_case(row.keyword, keyword)) return row.extension;
  return {};
}

// A set of extensions.
class Extensions {
 public:
  constexpr Extensions() = default;
  constexpr Extensions(std::initializer_list<Extension> all) {
    for (const Extension each : all) add(each);
  }
  constexpr bool has(Extension extension) const { return (bits_ & bit(extension)) != 0; }
  constexpr void add(Extension extension) { bits_ |= bit(extension); }
  constexpr void remove(Extension extension) { bits_ &= ~bit(extension); }
  bool operator==(const Extensions&) const = default;

 private:
  static constexpr std::uint32_t bit(Extension extension) {
    return std::uint32_t{1} << static_cast<std::uint32_t>(extension);
  }
  std::uint32_t bits_ = 0;
};

}  // namespace tapal::smtp
