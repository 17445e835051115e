// Mail piped into programs, with LF line ends, once for each recipient, one after the other. What
// their exit codes mean: rules/bounce/classify_handover.h.
#pragma once

#include <chrono>

#include "ports/loop.h"
#include "ports/programs.h"
#include "services/delivery/carrier.h"

namespace tapal::delivery {

// The environment is PATH, SENDER, RECIPIENT, ORIGINAL_RECIPIENT (what the sender wrote, RFC 3461),
// USER and EXTENSION (of "user+extension"), DOMAIN and QUEUE_ID; strangers choose its values.
class ProgramCarrier final : public Carrier {
 public:
  ProgramCarrier(Loop& loop, Programs& programs, std::chrono::seconds time_max)
      : loop_(loop), programs_(programs), time_max_(time_max) {}
  Task<AttemptReport> carry(Attempt attempt) override;
  Task<void> stop() override;

 private:
  Loop& loop_;
  Programs& programs_;
  std::chrono::seconds time_max_;
};

}  // namespace tapal::delivery
