#include "app/server/heartbeat.h"

#include <gtest/gtest.h>

#include "ports/test_loop.h"

namespace tapal::app {
namespace {

TEST(Heartbeat, stops_while_one_loop_hangs_and_goes_on_when_it_turns_again) {
  VirtualLoop quick;
  VirtualLoop hanging;
  Heartbeat heart({&quick, &hanging});
  EXPECT_TRUE(heart.beats()) << "nothing was asked before";
  quick.run();
  EXPECT_FALSE(heart.beats());
  EXPECT_FALSE(heart.beats());
  hanging.run();
  EXPECT_TRUE(heart.beats());
  quick.run();
  hanging.run();
  EXPECT_TRUE(heart.beats());
}

}  // namespace
}  // namespace tapal::app
