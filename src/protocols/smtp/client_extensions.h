// What a peer says in its reply to EHLO or LHLO (RFC 5321 section 4.1.1.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/smtp/extensions.h"
#include "protocols/smtp/reply.h"

namespace tapal::smtp {

struct ExtensionSet {
  std::string name;  // the peer's own name, first word of the first line; may be empty
  Extensions offered;
  std::uint64_t size_max = 0;                          // bytes; 0: no limit told
  std::vector<std::string> auth_mechanisms;            // upper case, in the peer's order
  std::optional<std::uint32_t> mails_max;              // LIMITS MAILMAX (RFC 9422), never 0
  std::optional<std::uint32_t> recipients_max;         // LIMITS RCPTMAX, never 0
  std::optional<std::uint32_t> recipient_domains_max;  // LIMITS RCPTDOMAINMAX, never 0

  bool operator==(const ExtensionSet&) const = default;
  bool has(Extension extension) const { return offered.has(extension); }
  bool offers_auth(std::string_view mechanism) const;
};

inline constexpr std::size_t auth_mechanisms_max = 32;

// Tolerant: what is unknown or malformed counts as not offered.
ExtensionSet parse_ehlo(const Reply& reply);

}  // namespace tapal::smtp
