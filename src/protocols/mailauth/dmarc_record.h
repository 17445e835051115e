// The TXT record at _dmarc.<domain> (RFC 9989 sections 4.7 and 4.8). Records of RFC 7489 are read
// by the same rules: pct=0 is t=y, and pct=, rf=, ri= and the "!size" of an address say nothing
// more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::mailauth {

inline constexpr std::size_t dmarc_record_bytes_max = 8 * 1024;

enum class DmarcPolicy : std::uint8_t { none, quarantine, reject };  // least strict first
enum class DmarcAlignment : std::uint8_t { relaxed, strict };

std::string_view dmarc_policy_text(DmarcPolicy policy);  // "quarantine"

struct DmarcFailureOptions {     // fo=, what failure reports are wanted for
  bool any_not_aligned = false;  // "1"; else "0": only when no identifier is aligned
  bool dkim = false;             // "d": a signature that failed, aligned or not
  bool spf = false;              // "s"
  bool operator==(const DmarcFailureOptions&) const = default;
};

struct DmarcRecord {
  enum class Psd : std::uint8_t { unknown, no, yes };  // is the domain a public suffix?

  DmarcPolicy policy = DmarcPolicy::none;         // p=, for the domain itself
  std::optional<DmarcPolicy> subdomain_policy;    // sp=
  std::optional<DmarcPolicy> nonexistent_policy;  // np=, for subdomains that DNS does not have
  DmarcAlignment dkim_alignment = DmarcAlignment::relaxed;  // adkim=
  DmarcAlignment spf_alignment = DmarcAlignment::relaxed;   // aspf=
  DmarcFailureOptions failure_options;
  std::vector<std::string> aggregate_reports_to;  // rua=, URIs without their "!size"
  std::vector<std::string> failure_reports_to;    // ruf=
  Psd psd = Psd::unknown;
  bool testing = false;      // t=y: apply one step less than the policy
  bool only_rfc7489 = true;  // none of np=, psd=, t= is there
  // False: p= is missing or wrong, or sp= or np= is wrong, and there is no rua= to tell it to. Such
  // a record means no DMARC at all (RFC 9989 section 4.10.1). With a rua= it means p=none.
  bool applies = true;
  std::vector<std::string> notes;  // what its owner should mend, for people

  bool operator==(const DmarcRecord&) const = default;

  // The strings of one TXT record joined. Code::invalid: it does not begin with "v=DMARC1", or is
  // too long. Whatever else is wrong with it falls back to defaults and leaves a note.
  static Result<DmarcRecord> parse(std::string_view text);
};

}  // namespace tapal::mailauth
