#include "services/api/recent_troubles.h"

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"

namespace tapal::api {
namespace {

TEST(RecentTroubles, keeps_the_last_warnings_and_errors_and_passes_everything_on) {
  VirtualLoop clock;
  RecordingLog log;
  RecentTroubles troubles(log, clock);
  troubles.write(Level::info, "message accepted", {});
  for (std::size_t i = 0; i < RecentTroubles::troubles_max + 3; ++i)
    troubles.write(Level::error, "cannot accept", {{"number", std::to_string(i)}});
  troubles.write(Level::warning, "backup is behind", {});
  const auto kept = troubles.all();
  ASSERT_EQ(kept.size(), RecentTroubles::troubles_max);
  EXPECT_EQ(kept.back().what.event, "backup is behind");
  EXPECT_EQ(kept.back().level, Level::warning);
  EXPECT_EQ(kept.front().what.field("number"), "4");
  EXPECT_EQ(log.count("message accepted"), 1U);
}

}  // namespace
}  // namespace tapal::api
