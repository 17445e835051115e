#include "values/text/nearest.h"

namespace tapal::text {
namespace {

TEST(Nearest, finds_the_word_that_was_meant) {
  const std::vector<std::string_view> known{"patterns", "action", "time", "note"};
  EXPECT_EQ(nearest("pattern", known), "patterns");
  EXPECT_EQ(nearest("tiem", known), "time");
  EXPECT_EQ(nearest("colour", known), "");
  EXPECT_EQ(nearest(std::string(1000, 'x'), known), "");
  EXPECT_EQ(unknown_word("key", "acton", known), "unknown key acton; did you mean action?");
  EXPECT_EQ(unknown_word("key", "colour", known),
            "unknown key colour; there are patterns, action, time, note");
}

}  // namespace
}  // namespace tapal::text
