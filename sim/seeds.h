// Plays many seeds, each on its own, on all cores, and tells of those that broke a law.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "sim/world.h"

namespace tapal::sim {

struct SeedsOptions {
  std::uint64_t first = 1;
  std::uint64_t count = 1000;
  std::chrono::seconds time_max{0};  // 0: no bound; else new seeds until it is over
  unsigned processes = 0;            // 0: one for each core
  Fault fault = Fault::none;
  std::uint64_t repeat_one_in = 20;  // seeds played twice, to see the same events
};

struct SeedsResult {
  std::uint64_t played = 0;
  std::uint64_t repeated = 0;
  std::uint64_t broken = 0;  // seeds
  std::uint64_t steps = 0;
  Ledger::Sums sums;
  std::uint64_t power_cuts = 0;
  std::uint64_t stops = 0;
};

// Each process says what its failing seeds did, on standard output, and stops after a few.
SeedsResult play_seeds(const SeedsOptions& options);

// A failing seed in words: the law, the last events, the command that plays it again.
std::string report(const Outcome& outcome, Fault fault);

}  // namespace tapal::sim
