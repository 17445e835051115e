// The time, as everything outside drivers/ sees it.
#pragma once

#include "base/time.h"

namespace tapal {

struct Clock {
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall_now() const = 0;
};

}  // namespace tapal
