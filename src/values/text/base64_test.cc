#include "values/text/base64.h"

#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::text {
namespace {

TEST(Base64, gives_the_vectors_of_rfc_4648) {
  const std::pair<std::string_view, std::string_view> cases[] = {{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, knows_the_alphabet_for_urls) {
  EXPECT_EQ(to_base64_url("\xFB\xFF\xFE"), "-__-");
  EXPECT_EQ(to_base64_url("f"), "Zg");
  EXPECT_EQ(from_base64_url("Zg"), "f");
  EXPECT_FALSE(from_base64_url("Zg=="));
  EXPECT_FALSE(from_base64_url("+//+"));
}

TEST(Base64, is_strict) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg===", "Zh==", "Z", "=", "Zm9v\r\n", "Zm 9v", "Zm9v!", "Zg==Zg==", "-__-"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
  EXPECT_FALSE(from_base64(std::string_view("Zm9\0", 4)));
}

TEST(Base64, takes_its_64_letters_and_no_other_byte) {
  for (int value = 0; value < 256; ++value) {
    const char byte = static_cast<char>(value);
    const bool letter = is_alnum(byte) || byte == '+' || byte == '/' || byte == '=';  // "AAA="
    EXPECT_EQ(from_base64(std::string("AAA") + byte).has_value(), letter) << value;
  }
}

TEST(Base64, skips_white_space_on_request) {
  EXPECT_EQ(from_base64_lines(" Zm9v\r\n\tYg = =\r\n"), "foob");
  EXPECT_FALSE(from_base64_lines("Zm9v*"));
}

TEST(Base64, round_trips_every_byte_at_every_length) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_base64_url(to_base64_url(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST(Hex, prints_and_reads) {
  EXPECT_EQ(to_hex(std::string_view("\0\xAB\xFF", 3)), "00abff");
  EXPECT_EQ(from_hex("00ABff"), std::string("\0\xAB\xFF", 3));
  for (const std::string_view text : {"0", "0g", "00 ", " 00", "00:11", "0x00"}) {
    EXPECT_FALSE(from_hex(text)) << text;
  }
}

}  // namespace
}  // namespace tapal::text
