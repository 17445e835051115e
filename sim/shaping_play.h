// Plays receivers that have limits, are down or look at reputation, against one sending engine with
// and without the rules of shaping. At the level of the product's Scheduler and Shaper: no bytes,
// no disk, no connections.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scale.h"

namespace tapal::sim {

enum class Scenario : std::uint8_t {
  mixed,    // one sender drops 100 000 messages, ten people send one every 20 s
  outage,   // a provider is down for 12 hours while 200 000 messages wait for it
  warm_up,  // a month of 3 000 messages a day from a new address, to receivers that trust it slowly
};
inline constexpr std::array<std::string_view, 3> scenario_names{"mixed", "outage", "warm-up"};

enum class Rules : std::uint8_t { without, with };

// Whose waiting times are told apart: people and the bulk sender, or the dead provider's mail and
// everybody else's.
struct Crowd {
  std::string_view name;
  std::uint64_t messages = 0;
  std::uint64_t delivered = 0;
  std::uint64_t bounced = 0;
  Waits waits;
  std::vector<Waits> steps;  // of step_of() each
};

std::chrono::minutes step_of(Scenario scenario);

struct ShapingResult {
  Rules rules = Rules::with;
  std::array<Crowd, 2> crowds;
  std::uint64_t attempts = 0;
  std::uint64_t refused = 0;           // a receiver's limit was hit
  std::uint64_t unreached = 0;         // it was down
  std::size_t refused_in_row_max = 0;  // of one receiver, with nothing taken in between
  std::chrono::minutes ended{0};       // when everything was delivered
};

ShapingResult play_shaping(Scenario scenario, Rules rules, std::uint64_t seed);

// Of a scenario without the rules and with them: rows of a table, and curves of p50 and p99.
std::string table_of(Scenario scenario, const std::array<ShapingResult, 2>& results);
std::string chart_of(Scenario scenario, const std::array<ShapingResult, 2>& results);

}  // namespace tapal::sim
