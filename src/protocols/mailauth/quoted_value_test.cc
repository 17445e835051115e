#include "protocols/mailauth/quoted_value.h"

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

TEST(QuotedValue, reads_back_every_byte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const std::string text = to_quoted_value(bytes);
  EXPECT_EQ(text.find(';'), std::string::npos);
  EXPECT_EQ(text.find(' '), std::string::npos);
  EXPECT_EQ(from_quoted_value(text).value(), bytes);
}

TEST(QuotedValue, follows_rfc_6376_section_2_11) {
  EXPECT_EQ(to_quoted_value("joe;a=b@x"), "joe=3Ba=3Db@x");
  EXPECT_EQ(from_quoted_value("joe=3B\r\n a=3Db@x").value(), "joe;a=b@x");
  EXPECT_EQ(from_quoted_value("=3b").value(), ";");
  for (const char* bad : {"=", "=3", "=3G", "a=", "= 3B"})
    EXPECT_FALSE(from_quoted_value(bad)) << bad;
}

}  // namespace
}  // namespace tapal::mailauth
