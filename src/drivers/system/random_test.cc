#include "drivers/system/random.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace tapal {
namespace {

TEST(SystemRandom, fills_all_bytes_and_does_not_repeat) {
  SystemRandom random;
  random.fill({});
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 1'000; ++i) numbers.insert(random.number());
  EXPECT_EQ(numbers.size(), 1'000U);  // by chance it is less once in 10^13 runs
  std::vector<std::byte> bytes(100'000);
  random.fill(bytes);
  for (int value = 0; value < 256; ++value)  // each about 390 times
    EXPECT_GT(std::ranges::count(bytes, static_cast<std::byte>(value)), 200) << value;
}

}  // namespace
}  // namespace tapal
