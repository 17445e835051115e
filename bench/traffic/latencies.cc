#include "bench/traffic/latencies.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace tapal::bench {

void Latencies::add(Duration took) {
  const auto kept = std::clamp<Duration>(took, Duration::zero(), std::chrono::hours(1));
  micros_.push_back(static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(kept).count()));
}

double Latencies::quantile_ms(double part) const {
  if (micros_.empty()) return 0;
  const auto rank = std::ceil(std::clamp(part, 0.0, 1.0) * static_cast<double>(micros_.size()));
  auto sorted = micros_;
  const auto at =
      sorted.begin() + std::max<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(rank) - 1);
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at / 1000.0;
}

std::string Latencies::json() const {
  return fmt::format(R"({{"p50":{:.3f},"p99":{:.3f},"max":{:.3f}}})",
                     quantile_ms(0.5),
                     quantile_ms(0.99),
                     quantile_ms(1));
}

}  // namespace tapal::bench
