// What travels beside a message: who it is from, who it is for, and what they asked for
// (RFC 5321 section 2.3.1, RFC 3461, RFC 6152, RFC 3030, RFC 6531, RFC 8689).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "values/mail/address.h"
#include "values/mail/handover.h"

namespace tapal::mail {

// RFC 3461 section 4.1. No flag set means the default: FAILURE, and DELAY at the server's choice.
struct Notify {
  bool never = false;
  bool success = false;
  bool failure = false;
  bool delay = false;

  bool operator==(const Notify&) const = default;
  bool is_default() const { return !never && !success && !failure && !delay; }
  bool wants_failure() const { return failure || is_default(); }
  bool wants_delay() const { return delay || is_default(); }
};

struct Recipient {
  Address address;
  Notify notify;
  std::string original;  // ORCPT as given, "rfc822;user@example.com", still xtext-decoded; or empty
  Handover handover;     // ours: how an alias has its mail leave

  bool operator==(const Recipient&) const = default;
};

enum class BodyType : std::uint8_t { seven_bit, eight_bit_mime, binary_mime };
enum class ReturnContent : std::uint8_t {
  unspecified,
  full,
  headers
};  // RET=, RFC 3461 section 4.3

struct Envelope {
  std::optional<Address> return_path;  // nothing is the null reverse path <>
  std::vector<Recipient> recipients;
  BodyType body = BodyType::seven_bit;
  bool smtputf8 = false;
  bool require_tls = false;
  ReturnContent return_content = ReturnContent::unspecified;
  std::string envelope_id;  // ENVID, decoded; or empty

  bool operator==(const Envelope&) const = default;
};

}  // namespace tapal::mail
