// Plays scale: several engines, a million recipients at a provider mix. At the level of the
// product's Scheduler, retry schedule and message life: no bytes, no disk, no connections.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "rules/queue/scheduler.h"
#include "sim/provider_mix.h"

namespace tapal::sim {

struct ScaleOptions {
  std::uint64_t seed = 1;
  std::uint32_t recipients = 1'000'000;  // one to a message
  std::uint32_t engines = 10;
  std::chrono::minutes arrive_within{15};
  std::chrono::minutes step{5};    // of the curves
  std::chrono::hours horizon{24};  // what waits then is told as waiting
  queue::SchedulerLimits limits;   // of each engine
};

// Waiting times, four buckets to the octave from 50 ms on.
class Waits {
 public:
  void add(std::chrono::milliseconds waited);
  void add(const Waits& more);
  double seconds_at(double fraction) const;  // of all
  std::uint64_t count() const { return count_; }

 private:
  std::array<std::uint64_t, 96> buckets_{};
  std::uint64_t count_ = 0;
};

struct ScaleStep {
  std::uint64_t arrived = 0;
  std::uint64_t attempts = 0;
  std::uint64_t waiting = 0;  // at its end
  std::array<Waits, provider_mix.size()> delivered;
};

struct ScaleResult {
  std::vector<ScaleStep> steps;
  struct ByProvider {
    std::uint64_t recipients = 0, attempts = 0, delivered = 0, bounced = 0, throttled = 0;
    Waits waits;
  };
  std::array<ByProvider, provider_mix.size()> providers;
  std::uint64_t waiting_at_end = 0;
  std::string broken;  // a law of the scheduler; empty: none
};

ScaleResult play_scale(const ScaleOptions& options);

// For people: a table; for a page: two charts as SVG.
std::string table_of(const ScaleResult& result, const ScaleOptions& options);
std::string chart_of(const ScaleResult& result, const ScaleOptions& options);

}  // namespace tapal::sim
