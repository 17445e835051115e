// What it takes for Gmail to send as one of our addresses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/certificates/served_certificate.h"
#include "app/settings/settings.h"
#include "base/result.h"
#include "services/intake/domains.h"
#include "values/mail/address.h"

namespace tapal::app {

inline constexpr std::string_view gmail_password_name = "gmail";

struct GmailPlan {
  mail::Address address;  // to send as
  mail::Address user;     // who logs in
  std::string host;
  std::vector<SubmissionPort> ports;  // the best first; none: nobody can submit
};

// Who may log in and send as `address`: `user` where it is given, else the address's own user, else
// the only one who may. Code::invalid or not_found with what to do: nobody or several may, the
// domain is not ours, mail to the address would be refused (then Gmail's confirmation would be).
Result<GmailPlan> plan_gmail(const intake::Domains& domains,
                             const Settings& settings,
                             const mail::Address& address,
                             const std::string& user);

// Whether the confirmation is Gmail's own, by its DKIM signature.
enum class Origin : std::uint8_t { google, somebody_else, unknown };
struct OriginFinding {
  Origin origin = Origin::unknown;
  std::string reason;  // where it is not google
};
OriginFinding judge_origin(std::string_view message, const ResolverOptions& resolver);

}  // namespace tapal::app
