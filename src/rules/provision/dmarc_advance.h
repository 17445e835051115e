// The next step of a DMARC policy: watch first, then quarantine, then reject, each only when what
// receivers report allows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "protocols/mailauth/dmarc_record.h"

namespace tapal::provision {

// What aggregate reports told since the policy last changed.
struct DmarcReports {
  std::chrono::days period{0};
  std::uint64_t messages = 0;  // of our own: sent from our addresses, or with our signature
  std::uint64_t failed = 0;    // of these, those that did not pass DMARC
};

struct DmarcStep {
  std::optional<mailauth::DmarcPolicy> to;  // nothing: not yet, or nothing is left to do
  std::string why;
};
DmarcStep next_dmarc_step(mailauth::DmarcPolicy now, const DmarcReports& reports);

}  // namespace tapal::provision
