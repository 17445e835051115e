// Warnings of certificates that near their end: each of 21, 14 and 7 days once, over restarts too.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ports/certificate_files.h"
#include "services/upkeep/certificate_note.h"

namespace tapal::upkeep {

class ExpiryWarnings {
 public:
  ExpiryWarnings() = default;
  // `memory` is an earlier one's; lines that are none are left out.
  explicit ExpiryWarnings(std::string_view memory);

  // Which to give now, and that it was given; nothing: there is time, or it was.
  std::optional<int> take(std::string_view name, const crypto::Validity& validity, WallTime now);
  // A line each, of certificates that have not ended by `now`.
  std::string memory(WallTime now) const;

 private:
  using Key = std::pair<std::string, WallTime>;  // name and end
  std::map<Key, int> given_;                     // the fewest days
};

// For the owner: what is to be done about it.
struct ExpiryLetter {
  std::string subject;
  std::string text;
};
// `note` is null for a certificate that another program renews.
ExpiryLetter expiry_letter(const KeptCertificate& kept,
                           const crypto::CertificateFacts& facts,
                           const CertificateNote* note,
                           WallTime now);

}  // namespace tapal::upkeep
