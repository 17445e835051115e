#include "values/text/line_ends.h"

#include <gtest/gtest.h>

namespace tapal::text {
namespace {

TEST(LocalLineEnds, are_the_same_wherever_the_text_is_cut) {
  const std::string_view network = "a\r\nb\r\n\r\nc\rd\r\r\n\n\r";
  const std::string_view local = "a\nb\n\nc\rd\r\n\n\r";
  for (std::size_t cut = 0; cut <= network.size(); ++cut) {
    ToLocalLineEnds ends;
    std::string out(ends.convert(network.substr(0, cut)));
    out += ends.convert(network.substr(cut));
    out += ends.rest();
    EXPECT_EQ(out, local) << cut;
    EXPECT_EQ(ends.rest(), "");
  }
}

}  // namespace
}  // namespace tapal::text
