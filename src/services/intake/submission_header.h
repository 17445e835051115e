// The header of a message that a user submits, checked and completed (RFC 6409 section 8): what is
// missing is added before it is signed, what must not leave is taken out.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/time.h"
#include "protocols/smtp/reply.h"
#include "services/intake/admission.h"
#include "values/mail/address.h"
#include "values/mail/header.h"

namespace tapal::intake {

struct SubmissionFacts {
  WallTime now;
  std::string_view random_bytes;  // 16 or more, for a Message-ID
  std::string_view host_name;     // its right side, when the From domain cannot be
};

struct SubmissionHeader {
  std::string text;    // all fields with CRLF, without the blank line
  mail::Address from;  // the first author
  std::string message_id;
  std::string subject;  // as written, unfolded
};

// Refuses a header that cannot be read (naming the line), one without From or with two, an author
// the client may not be, and fields that must be alone but are not (RFC 5322 section 3.6).
std::expected<SubmissionHeader, smtp::Reply> complete_header(const Domains& domains,
                                                             const Client& client,
                                                             std::string_view block,
                                                             const SubmissionFacts& facts,
                                                             const mail::HeaderLimits& limits);

}  // namespace tapal::intake
