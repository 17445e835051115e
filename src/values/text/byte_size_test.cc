#include "values/text/byte_size.h"

namespace tapal::text {
namespace {

TEST(ByteSizes, are_read) {
  const std::pair<std::string_view, std::uint64_t> cases[] = {{"0", 0},
                                                              {"1000", 1000},
                                                              {"1B", 1},
                                                              {"50MB", 50'000'000},
                                                              {"64KiB", 65'536},
                                                              {"64 kib", 65'536},
                                                              {"2gb", 2'000'000'000},
                                                              {"1TiB", 1ULL << 40U},
                                                              {"18446744073709551615", ~0ULL}};
  for (const auto& [text, bytes] : cases) EXPECT_EQ(parse_byte_size(text), bytes) << text;
}

TEST(ByteSizes, are_refused) {
  for (const std::string_view text : {"",
                                      "MB",
                                      "-1",
                                      "1.5MB",
                                      "1  MB",
                                      "1 ",
                                      "1MBit",
                                      "1K",
                                      "0x10",
                                      "18446744073709551616",
                                      "17000000TiB"}) {
    EXPECT_FALSE(parse_byte_size(text)) << text;
  }
}

TEST(ByteSizes, read_back_what_was_printed) {
  EXPECT_EQ(byte_size_text(0), "0B");
  EXPECT_EQ(byte_size_text(50'000'000), "50MB");
  EXPECT_EQ(byte_size_text(65'536), "64KiB");
  EXPECT_EQ(byte_size_text(1001), "1001B");
  for (std::uint64_t bytes = 1; bytes < 1ULL << 60U; bytes = bytes * 2 + (bytes % 3)) {
    EXPECT_EQ(parse_byte_size(byte_size_text(bytes)), bytes);
  }
}

}  // namespace
}  // namespace tapal::text
