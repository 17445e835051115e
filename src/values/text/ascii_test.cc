#include "values/text/ascii.h"

namespace tapal::text {
namespace {

TEST(Ascii, folds_only_ascii_letters) {
  EXPECT_EQ(to_lower("AbZ[@`{\xC3\x84"), "abz[@`{\xC3\x84");
  EXPECT_EQ(to_upper("aBz[@`{\xC3\xA4"), "ABZ[@`{\xC3\xA4");
  EXPECT_TRUE(equals_ignoring_case("EHLO", "ehlo"));
  EXPECT_FALSE(equals_ignoring_case("EHLO", "ehl"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
  EXPECT_TRUE(starts_with_ignoring_case("MAIL FROM:<>", "mail from:"));
  EXPECT_FALSE(starts_with_ignoring_case("MAIL", "MAIL FROM"));
}

TEST(Ascii, trims_and_splits) {
  EXPECT_EQ(trim(" \t\r\n a b \r\n"), "a b");
  EXPECT_EQ(trim(" \r\n"), "");
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string_view>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), std::vector<std::string_view>{""});
  EXPECT_EQ(words("  a \t b\r\n"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(words(" \t").empty());
}

TEST(Ascii, reads_whole_numbers_only) {
  EXPECT_EQ(to_number<int>("-12"), -12);
  EXPECT_EQ(to_number<std::uint8_t>("255"), 255);
  for (const auto text : {"", "256", "-1", "+1", " 1", "1 ", "1x", "0x1"}) {
    EXPECT_FALSE(to_number<std::uint8_t>(text)) << text;
  }
}

struct PrintableCase {
  std::string_view name, in, out;
  std::size_t bytes_max = 512;
};

TEST(Ascii, makes_any_bytes_safe_to_print) {
  const PrintableCase cases[] = {
      {"plain", "hello", "hello"},
      {"utf-8 stays", "gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
      {"line ends", "a\r\nb", "a\\x0D\\x0Ab"},
      {"escape and delete", "\x1B[1m\x7F", "\\x1B[1m\\x7F"},
      {"C1 control", "a\xC2\x85z", "a\\xC2\\x85z"},
      {"no-break space is no control", "a\xC2\xA0z", "a\xC2\xA0z"},
      {"broken utf-8", "\xC3(", "\\xC3("},
      {"overlong utf-8", "\xC0\xAF", "\\xC0\\xAF"},
      {"backslash", "a\\b", "a\\\\b"},
      {"exact fit", "12345", "12345", 5},
      {"cut", "123456", "12...", 5},
      {"cut before an escape", "1\r23456", "1...", 7},
      {"cut before a character", "1\xC3\xBC\xC3\xBC\xC3\xBC", "1...", 5},
      {"no room", "abc", "..", 2},
  };
  for (const auto& [name, in, out, bytes_max] : cases) {
    EXPECT_EQ(printable(in, bytes_max), out) << name;
  }
}

}  // namespace
}  // namespace tapal::text
