#include "values/text/percent.h"

#include <gtest/gtest.h>

namespace tapal::text {
namespace {

TEST(Percent, leaves_only_what_means_nothing_in_a_url) {
  EXPECT_EQ(percent_encode(""), "");
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("v=DKIM1; p=a+b/c=="), "v%3DDKIM1%3B%20p%3Da%2Bb%2Fc%3D%3D");
  EXPECT_EQ(percent_encode(std::string_view("*@%\0\x7f\xff\n默", 10)),
            "%2A%40%25%00%7F%FF%0A%E9%BB%98");
}

}  // namespace
}  // namespace tapal::text
