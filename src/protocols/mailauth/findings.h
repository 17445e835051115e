// What the checks of one message from outside came to, all together.
#pragma once

#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "protocols/mailauth/arc_verify.h"
#include "protocols/mailauth/authentication_results.h"
#include "protocols/mailauth/dkim_verify.h"
#include "protocols/mailauth/dmarc_result.h"
#include "protocols/mailauth/reverse_name.h"
#include "protocols/mailauth/spf_check.h"

namespace tapal::mailauth {

struct Findings {
  IpAddress peer;
  IprevResult iprev;
  SpfResult spf;  // of MAIL FROM; of HELO where that is null
  std::vector<DkimResult> dkim;
  ArcResult arc;
  DmarcResult dmarc;
};

// What DMARC is to look at (RFC 9989 section 5.3.2).
std::vector<DmarcIdentifier> dmarc_identifiers(const SpfResult& spf,
                                               const std::vector<DkimResult>& dkim);

// One for each check, as Authentication-Results tells them (RFC 8601 section 2.7).
std::vector<AuthMethod> auth_methods(const Findings& findings);

// Whether the domain of the return path has spoken for the message: by SPF, or by a signature of
// its own. Only then may anything be sent back there; else it would go to whoever was named.
bool return_path_is_proved(const Findings& findings, std::string_view return_path_domain);

}  // namespace tapal::mailauth
