// MTA-STS (RFC 8461): a domain's word, fetched over HTTPS, on which hosts take its mail and that
// they do so under TLS. The policy as a value, its text, and the DNS record that announces it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::tlspolicy {

enum class MtaStsMode : std::uint8_t {
  testing,  // who sends reports failures and delivers all the same
  enforce,
  none,  // takes an earlier policy back
};
std::string_view text_of(MtaStsMode mode);  // as the policy has it

inline constexpr std::chrono::seconds mta_sts_age_max{31'557'600};  // RFC 8461 section 3.2
inline constexpr std::size_t mta_sts_bytes_max = 64UL * 1024;       // RFC 8461 section 3.3
inline constexpr std::size_t mta_sts_hosts_max = 100;

struct MtaStsPolicy {
  MtaStsMode mode = MtaStsMode::testing;
  std::vector<std::string> mx;  // names in lower case, or "*.example.com" for one label
  std::chrono::seconds max_age{7 * 86'400};

  bool operator==(const MtaStsPolicy&) const = default;
};

// What stands at https://mta-sts.<domain>/.well-known/mta-sts.txt.
std::string mta_sts_text(const MtaStsPolicy& policy);

// The other way (RFC 8461 section 3.2): lines end with CRLF or LF, unknown fields mean nothing, of
// a field given twice the first counts. The Error (invalid) says what is wrong.
Result<MtaStsPolicy> parse_mta_sts(std::string_view text);

// Whether a name or "*." and a name, in lower case: what a policy may hold as mx.
bool is_mta_sts_host(std::string_view pattern);

// Made of what the policy says: another policy has another id, the same one always has this.
std::string mta_sts_id(const MtaStsPolicy& policy);

// The TXT record at _mta-sts.<domain>: "v=STSv1; id=...;" (RFC 8461 section 3.1).
std::string mta_sts_record(const MtaStsPolicy& policy);

}  // namespace tapal::tlspolicy
