#include "base/buffer_pool.h"

#include <gtest/gtest.h>

namespace tapal {
namespace {

TEST(BufferPool, lends_each_buffer_to_one_at_a_time) {
  BufferPool pool(100);
  auto first = pool.lend();
  auto second = pool.lend();
  EXPECT_EQ(first.bytes().size(), 100U);
  EXPECT_NE(first.bytes().data(), second.bytes().data());
}

TEST(BufferPool, lends_again_what_came_back) {
  BufferPool pool(100);
  const char* before = pool.lend().bytes().data();
  EXPECT_EQ(pool.lend().bytes().data(), before);
}

}  // namespace
}  // namespace tapal
