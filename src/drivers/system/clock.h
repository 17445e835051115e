// The machine's clocks.
#pragma once

#include "ports/clock.h"

namespace tapal {

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall_now() const override;
};

}  // namespace tapal
