// The system's own randomness, by libsodium.
#pragma once

#include "ports/random.h"

namespace tapal {

class SystemRandom final : public Random {
 public:
  SystemRandom();
  void fill(std::span<std::byte> bytes) override;
};

}  // namespace tapal
