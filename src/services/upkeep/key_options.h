// When DKIM keys are looked at and changed.
#pragma once

#include <chrono>

#include "rules/provision/key_rotation.h"

namespace tapal::upkeep {

struct KeyKeeperOptions {
  provision::RotationOptions rotation;
  std::chrono::milliseconds check_every = std::chrono::days(1);
  std::chrono::milliseconds look_again = std::chrono::minutes(5);  // while something is under way
  bool ed25519 = false;                                            // beside RSA, at the next turn
};

}  // namespace tapal::upkeep
