#include "values/text/utf8.h"

namespace tapal::text {
namespace {

TEST(Utf8, knows_well_formed_text) {
  for (const std::string_view text : {std::string_view(""),
                                      std::string_view("a\0b", 3),
                                      std::string_view("\xC3\xA4"),
                                      std::string_view("\xE2\x82\xAC"),
                                      std::string_view("\xF0\x9F\x93\xAE"),
                                      std::string_view("\xF4\x8F\xBF\xBF")}) {
    EXPECT_TRUE(is_valid_utf8(text));
  }
  for (const std::string_view text : {"\x80",
                                      "\xC3",
                                      "\xC3(",
                                      "\xC0\x80",
                                      "\xE0\x80\x80",
                                      "\xED\xA0\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xFF",
                                      "ab\xE2\x82"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8, cuts_between_characters) {
  EXPECT_EQ(utf8_prefix("a\xC3\xA4z", 1), "a");
  EXPECT_EQ(utf8_prefix("a\xC3\xA4z", 2), "a");
  EXPECT_EQ(utf8_prefix("a\xC3\xA4z", 3), "a\xC3\xA4");
  EXPECT_EQ(utf8_prefix("a\xC3\xA4z", 99), "a\xC3\xA4z");
  EXPECT_EQ(utf8_prefix("\x80\x80", 1), "");
}

TEST(Utf8, writes_characters) {
  EXPECT_EQ(utf8_encode(U'a'), "a");
  EXPECT_EQ(utf8_encode(U'\u20AC'), "\xE2\x82\xAC");
  EXPECT_EQ(utf8_encode(U'\U0001F4EE'), "\xF0\x9F\x93\xAE");
  EXPECT_EQ(utf8_encode(0xD800), "\xEF\xBF\xBD");
  EXPECT_EQ(utf8_encode(0x110000), "\xEF\xBF\xBD");
  EXPECT_EQ(utf8_encode(0xFFFFFFFF), "\xEF\xBF\xBD");
}

TEST(Utf8, composes_and_folds) {
  EXPECT_EQ(to_nfc("u\xCC\x88"), "\xC3\xBC");
  EXPECT_EQ(to_nfc("plain"), "plain");
  EXPECT_FALSE(to_nfc("\xC3"));
  EXPECT_EQ(case_fold("J\xC3\x96RG"), "j\xC3\xB6rg");
  EXPECT_EQ(case_fold("STRASSE"),
            case_fold("stra\xC3\x9F"
                      "e"));
  EXPECT_EQ(case_fold("O\xCC\x88"), "\xC3\xB6");
  EXPECT_EQ(case_fold("A\xC3("), "a\xC3(");
}

}  // namespace
}  // namespace tapal::text
