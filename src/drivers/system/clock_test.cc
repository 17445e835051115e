#include "drivers/system/clock.h"

#include <gtest/gtest.h>

namespace tapal {
namespace {

TEST(SystemClock, tells_the_systems_two_times) {
  const SystemClock clock;
  const auto steady = std::chrono::steady_clock::now();
  const auto wall = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto now = clock.now();
  EXPECT_GE(now, steady);
  EXPECT_LE(now, std::chrono::steady_clock::now());
  EXPECT_LE(now, clock.now());
  EXPECT_LT(std::chrono::abs(clock.wall_now() - wall), std::chrono::minutes(1));
}

}  // namespace
}  // namespace tapal
