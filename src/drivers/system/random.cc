#include "drivers/system/random.h"

#include <stdexcept>

#include <sodium.h>

namespace tapal {

SystemRandom::SystemRandom() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
}

void SystemRandom::fill(std::span<std::byte> bytes) {
  if (!bytes.empty()) randombytes_buf(bytes.data(), bytes.size());  // which takes no null pointer
}

}  // namespace tapal
