// An SPF record as its grammar has it (RFC 7208 sections 4.6 and 12). What it says about a client
// is left to SpfCheck.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "protocols/mailauth/spf_macro.h"

namespace tapal::mailauth {

enum class SpfVerdict : std::uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };
std::string_view spf_verdict_text(SpfVerdict verdict);  // "softfail"

enum class SpfMechanism : std::uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

// A qualifier and a mechanism ("directive" in the RFC).
struct SpfTerm {
  std::string text;                       // as written
  SpfVerdict verdict = SpfVerdict::pass;  // when the mechanism matches
  SpfMechanism mechanism = SpfMechanism::all;
  std::optional<SpfMacroText> target;  // nothing: the domain whose record this is
  IpAddress address;                   // of ip4 and ip6
  std::uint8_t ip4_bits = 32;
  std::uint8_t ip6_bits = 128;

  // Whether `client` is in the network around `center` that the mask of its family draws.
  bool covers(const IpAddress& center, const IpAddress& client) const;
  // Counts against the limit of lookups (RFC 7208 section 4.6.4).
  bool asks_dns() const;
};

struct SpfRecord {
  std::vector<SpfTerm> terms;
  std::optional<SpfMacroText> redirect;
  std::optional<SpfMacroText> explanation;  // exp=

  // Whether a TXT record is an SPF record at all (RFC 7208 section 4.5).
  static bool has_version(std::string_view text);
  // Code::invalid: an error anywhere spoils the whole record (RFC 7208 section 4.6).
  static Result<SpfRecord> parse(std::string_view text);
};

}  // namespace tapal::mailauth
