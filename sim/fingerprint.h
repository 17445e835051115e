// FNV-1a: tells different bytes apart. Against chance only, not against people.
#pragma once

#include <cstdint>
#include <string_view>

namespace tapal::sim {

constexpr std::uint64_t fingerprint(std::string_view bytes,
                                    std::uint64_t seed = 0xCBF29CE484222325U) {
  for (const char byte : bytes) {
    seed ^= static_cast<unsigned char>(byte);
    seed *= 0x100000001B3U;
  }
  return seed;
}

}  // namespace tapal::sim
