#include "bench/traffic/end_of_data.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tapal::bench {
namespace {

struct Case {
  std::string name;
  std::string bytes;
  std::optional<std::size_t> end;
};

const std::vector<Case> cases{
    {"an empty message", ".\r\n", 3},
    {"one line", "a\r\n.\r\n", 6},
    {"what follows is not of it", "a\r\n.\r\nMAIL FROM:<>\r\n", 6},
    {"the first of two", ".\r\n.\r\n", 3},
    {"a doubled dot", "..\r\n.\r\n", 7},
    {"a dot in a line", "a.b\r\n.c\r\n.\r\n", 12},
    {"many dots", "a\r\n....\r\n. \r\n.\r\n", 16},
    {"a lone line feed before the dot", "a\n.\r\n", std::nullopt},
    {"a lone line feed after the dot", "a\r\n.\n", std::nullopt},
    {"not yet all of it", "a\r\n.\r", std::nullopt},
    {"nothing", "", std::nullopt},
};

TEST(EndOfData, finds_the_line_with_a_dot_alone) {
  for (const auto& one : cases) EXPECT_EQ(EndOfData().find(one.bytes), one.end) << one.name;
}

TEST(EndOfData, finds_it_wherever_the_bytes_are_cut) {
  for (const auto& one : cases) {
    for (std::size_t piece = 1; piece <= one.bytes.size(); ++piece) {
      EndOfData reader;
      std::optional<std::size_t> end;
      for (std::size_t at = 0; at < one.bytes.size() && !end; at += piece)
        if (const auto in_piece = reader.find(std::string_view(one.bytes).substr(at, piece)))
          end = at + *in_piece;
      EXPECT_EQ(end, one.end) << one.name << " in pieces of " << piece;
    }
  }
}

TEST(EndOfData, begins_anew_after_an_end) {
  EndOfData reader;
  EXPECT_EQ(reader.find("a\r\n.\r\n"), 6U);
  EXPECT_EQ(reader.find(".\r\n"), 3U);
}

}  // namespace
}  // namespace tapal::bench
