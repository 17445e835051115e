// All chance in a made-up world: numbers that depend on the seed and on nothing else.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/time.h"
#include "ports/random.h"

namespace tapal::sim {

class Dice final : public Random {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  // SplitMix64: small, and good enough for play (Steele, Lea, Flood, OOPSLA 2014).
  std::uint64_t roll() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }
  void fill(std::span<std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::uint64_t number = roll();
      const std::size_t count = std::min(bytes.size(), sizeof number);
      std::memcpy(bytes.data(), &number, count);
      bytes = bytes.subspan(count);
    }
  }

  std::uint64_t below(std::uint64_t end) { return roll() % end; }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }
  Duration between(Duration least, Duration most) {
    return least + Duration(static_cast<Duration::rep>(
                       below(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T, std::size_t Count>
  const T& pick(const std::array<T, Count>& from) {
    return from[below(Count)];
  }
  // Dice of its own for one part of the world: how often it rolls changes nothing elsewhere.
  Dice fork() { return Dice(roll()); }

 private:
  std::uint64_t state_;
};

}  // namespace tapal::sim
