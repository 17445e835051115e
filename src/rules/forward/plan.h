// Will a message that is passed on to another server pass its checks there? Decided before it is
// accepted, from what our own checks have found. Pure.
//
// Passing on changes who sends: SPF for the author's domain is lost, DKIM is not, since header and
// body go on byte for byte. So DMARC at the target stands on an aligned signature alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/mailauth/findings.h"

namespace tapal::forward {

// What to do with mail that the target will refuse, or file as spam, by the policy of its author's
// domain.
enum class Remedy : std::uint8_t {
  refuse,        // in the session, with the reason: the sender learns of it at once
  wrap,          // as an attachment (message/rfc822) to a message from the alias
  rewrite_from,  // from the alias, with the author in Reply-To
  pass_on,       // as it is: the target may know ARC and trust us
};
std::string_view text_of(Remedy remedy);  // as in the settings: "rewrite-from"

struct Remedies {
  Remedy when_rejected = Remedy::refuse;      // the policy is p=reject
  Remedy when_quarantined = Remedy::pass_on;  // the policy is p=quarantine
};

struct Plan {
  Remedy way = Remedy::pass_on;
  bool passes = true;  // DMARC at the target, as far as can be told
  std::string reason;  // for people: "an aligned signature of bank.example survives"
};

Plan plan_forward(const mailauth::Findings& findings, const Remedies& remedies);

}  // namespace tapal::forward
