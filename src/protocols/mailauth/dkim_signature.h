// The value of a DKIM-Signature header field (RFC 6376 section 3.5, RFC 8301, RFC 8463).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/mailauth/canonical.h"
#include "protocols/mailauth/tag_list.h"

namespace tapal::mailauth {

inline constexpr std::string_view dkim_field_name = "DKIM-Signature";

enum class DkimAlgorithm : std::uint8_t { rsa_sha256, ed25519_sha256 };

std::string_view dkim_algorithm_text(DkimAlgorithm algorithm);  // "rsa-sha256"

struct DkimSignature {
  DkimAlgorithm algorithm = DkimAlgorithm::rsa_sha256;
  Canonicalization header_form = Canonicalization::simple;
  Canonicalization body_form = Canonicalization::simple;
  std::string domain;    // d=, lower case, A-labels
  std::string selector;  // s=, lower case, A-labels
  std::string identity;  // i= decoded, domain lower case, A-labels; "@" + domain if absent
  std::vector<std::string> signed_fields;              // h=, as written
  std::string body_hash;                               // bh=, bytes
  std::string signature;                               // b=, bytes
  std::optional<std::uint64_t> body_length;            // l=, octets of the canonical body
  std::optional<std::chrono::sys_seconds> signed_at;   // t=
  std::optional<std::chrono::sys_seconds> expires_at;  // x=

  bool operator==(const DkimSignature&) const = default;

  // Checks everything that can be known without the key: required tags, values, "From" in h=,
  // i= within d=, x= after t=. The error says which rule was broken. Unknown tags are ignored.
  static Result<DkimSignature> from_tags(const TagList& tags);
  static Result<DkimSignature> parse(std::string_view field_body);

  // The same for ARC's two signatures, whose i= is another thing and whose v= is ignored. A seal
  // has no body, no expiry and no list of fields, and its form is always relaxed (RFC 8617 sections
  // 4.1.2 and 4.1.3).
  static Result<DkimSignature> from_arc_message_tags(const TagList& tags);
  static Result<DkimSignature> from_arc_seal_tags(const TagList& tags);

  std::string identity_domain() const;
  std::string key_name() const;  // the name of the key record: selector._domainkey.domain

  // The whole header field, folded at field_line_bytes_max, without its final CRLF. "b=" comes last
  // and on its own line, so that everything before it is the same with and without a signature.
  // i= is printed only if it says more than d=.
  std::string field() const;
};

}  // namespace tapal::mailauth
