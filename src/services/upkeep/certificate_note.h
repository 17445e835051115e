// What we remember of a certificate that we got ourselves, and when it is its turn again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocols/acme/problem.h"
#include "protocols/acme/renewal.h"

namespace tapal::upkeep {

struct CertificateNote {
  std::string directory_url;
  std::vector<std::string> names;
  std::string profile;           // may be empty
  std::string renewal_info_url;  // RFC 9773; empty: the authority has none

  struct Suggestion {  // the authority's
    acme::RenewalWindow window;
    WallTime ask_again;
  };
  std::optional<Suggestion> suggestion;
  // When it was last renewed before its time because the authority wanted it so.
  std::optional<WallTime> renewed_early;

  struct Failure {  // of the orders since the last good one
    std::size_t count = 0;
    std::string what;  // of the last
    WallTime when;
    WallTime next_try;
  };
  std::optional<Failure> failure;
  std::string preferred_chain;  // as acme::OrderWish has it

  std::string to_json() const;
};

// Code::invalid: it is none of ours.
Result<CertificateNote> read_certificate_note(std::string_view json);

// Whichever is later: its turn by the authority or by its lifetime, or the next try after failures.
// Never so late that it ends first; and an authority that is never content is not asked for ever
// more: of early renewals there are four a day at most.
WallTime renewal_due(const CertificateNote& note, const crypto::CertificateFacts& certificate);

// An hour after the first failure, twice as long after each more, a day at most; longer where the
// authority wants it so.
CertificateNote::Failure failure_after(const std::optional<CertificateNote::Failure>& before,
                                       const acme::Problem& problem,
                                       WallTime now);

// The fewest of 21, 14 and 7 days that are more than what is left; nothing when more than all are
// left.
std::optional<int> days_to_warn_of(const crypto::Validity& validity, WallTime now);

}  // namespace tapal::upkeep
