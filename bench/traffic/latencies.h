// Durations measured in a run, and where most of them lie. Four bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace tapal::bench {

class Latencies {
 public:
  void add(Duration took);  // less than 0 counts as 0, more than an hour as an hour
  std::size_t count() const { return micros_.size(); }
  double quantile_ms(double part) const;  // the nearest rank; 0 when there are none
  // {"p50":1.2,"p99":3.4,"max":5.6} in milliseconds
  std::string json() const;

 private:
  std::vector<std::uint32_t> micros_;
};

}  // namespace tapal::bench
