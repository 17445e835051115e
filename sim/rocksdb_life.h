// The real store on files that lose their power: the same laws as for the simulated one. It has a
// thread of its own, so a seed gives the same orders but not the same moments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/chronicle.h"

namespace tapal::sim {

struct RocksdbOutcome {
  std::uint64_t seed = 0;
  std::uint64_t commits = 0;
  std::uint64_t failed = 0;
  std::uint64_t power_cuts = 0;
  std::optional<Chronicle::Broken> broken;
};

struct RocksdbOptions {
  std::uint64_t seed = 1;
  std::string folder;                   // is made, used and removed
  std::uint64_t sick_lives_one_in = 3;  // in which appends and syncs fail now and then; 0: none
};
RocksdbOutcome play_rocksdb(const RocksdbOptions& options);

}  // namespace tapal::sim
