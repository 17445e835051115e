// Whose permission SPF checks: the domain of MAIL FROM or of HELO (RFC 7208 sections 2.3 and 2.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tapal::mailauth {

// Taken apart but not judged: a domain that is none gets the verdict none.
struct SpfIdentity {
  enum class Kind : std::uint8_t { mail_from, helo };
  Kind kind = Kind::mail_from;
  std::string local_part;  // "postmaster" where there is none (RFC 7208 section 4.3)
  std::string domain;      // as it came; "[192.0.2.1]" for a literal

  static SpfIdentity of_helo(std::string_view helo);
  // Of the reverse path without its angle brackets; where that is null, the HELO identity.
  static SpfIdentity of_mail_from(std::string_view path, std::string_view helo);
};
std::string_view spf_identity_text(SpfIdentity::Kind kind);  // "mailfrom" (RFC 7208 section 9.1)

// A domain as it may have an SPF record (RFC 7208 section 4.3), without its final dot: several
// labels, no literal. U-labels become A-labels (RFC 8616 section 4). Nothing for any other text.
std::optional<std::string> spf_domain(std::string_view text);

}  // namespace tapal::mailauth
