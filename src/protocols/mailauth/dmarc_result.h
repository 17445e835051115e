// What DMARC says of a message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mailauth/authentication_results.h"
#include "protocols/mailauth/dmarc_record.h"

namespace tapal::mailauth {

// The words of RFC 9989 section 9.2.
//   none       no record asks for anything
//   pass       SPF or DKIM passed for a domain aligned with the author's
//   fail       neither did; `disposition` is what the record asks for
//   temperror  DNS could not tell now, neither pass nor fail (section 5.3.6)
//   permerror  there is no author domain, or not only good ones
enum class DmarcVerdict : std::uint8_t { none, pass, fail, temperror, permerror };

std::string_view dmarc_verdict_text(DmarcVerdict verdict);

// A domain that SPF or DKIM was about. DMARC asks no more of a check than how it ended.
struct DmarcIdentifier {
  enum class Method : std::uint8_t { spf, dkim };
  enum class Outcome : std::uint8_t { not_passed, passed, temporary_error };
  Method method = Method::spf;
  Outcome outcome = Outcome::not_passed;
  std::string domain;  // of MAIL FROM, HELO's when that is "<>" (section 3.2.4); or d=

  bool operator==(const DmarcIdentifier&) const = default;
};

struct DmarcResult {
  enum class FoundAt : std::uint8_t {
    nowhere,
    author_domain,
    organizational_domain,
    public_suffix
  };

  DmarcVerdict verdict = DmarcVerdict::none;
  DmarcPolicy disposition = DmarcPolicy::none;  // of this message: `policy` if it failed
  DmarcPolicy policy = DmarcPolicy::none;       // for messages that fail, t= applied
  std::string author_domain;
  std::string organizational_domain;  // of the author's; empty: not known, not needed
  FoundAt found_at = FoundAt::nowhere;
  std::string policy_domain;  // where the record is: at _dmarc.<policy_domain>
  std::string record_text;
  std::optional<DmarcRecord> record;
  std::vector<DmarcIdentifier> aligned;  // those that passed and are aligned
  std::string reason;                    // for people
};

// The one to go by when there are several authors: the strictest disposition of those that fail
// (RFC 9989 section 11.5), else what is surest not to be a pass. At least one.
const DmarcResult& strictest(const std::vector<DmarcResult>& results);

// For Authentication-Results: dmarc=fail header.from=... policy.dmarc=... (RFC 9989 section 9.1).
AuthMethod auth_method(const DmarcResult& result);

}  // namespace tapal::mailauth
