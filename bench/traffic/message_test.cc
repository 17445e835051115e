#include "bench/traffic/message.h"

#include <chrono>

#include <gtest/gtest.h>

#include "bench/traffic/end_of_data.h"

namespace tapal::bench {
namespace {

constexpr std::size_t header_bytes_about = 400;

TEST(Message, has_the_size_asked_for_and_ends_at_its_dot) {
  for (const std::size_t size : {500U, 501U, 502U, 4096U, 4097U, 102'400U}) {
    const Message message({.size = size, .from = "a@a.example", .to = "b@b.example"});
    EXPECT_EQ(message.size(), size);
    EXPECT_EQ(EndOfData().find(message.bytes()), message.bytes().size()) << size;
    EXPECT_TRUE(message.bytes().ends_with("\r\n.\r\n")) << size;
  }
}

TEST(Message, has_whole_lines_and_no_dot_at_their_beginning) {
  for (std::size_t size = header_bytes_about; size < header_bytes_about + 200; ++size) {
    const Message message({.size = size, .from = "a@a.example", .to = "b@b.example"});
    const auto text = message.bytes().substr(0, message.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\r') {
        ASSERT_EQ(text.substr(i, 2), "\r\n") << size;
      }
      if (text[i] == '\n') {
        ASSERT_EQ(text[i - 1], '\r') << size;
        ASSERT_NE(text.substr(i + 1, 1), ".") << size;
      }
    }
  }
}

TEST(Message, is_not_smaller_than_its_header) {
  const Message message({.size = 0, .from = "a@a.example", .to = "b@b.example"});
  EXPECT_GT(message.size(), 100U);
  EXPECT_TRUE(message.bytes().ends_with("\r\n\r\n.\r\n"));
}

TEST(Message, a_stamp_is_found_again) {
  Message message({.size = 500, .from = "a@a.example", .to = "b@b.example"});
  for (const Stamp stamp : {Stamp{0, Instant{}},
                            Stamp{99'999'999, Instant(std::chrono::hours(24 * 365))},
                            Stamp{5, Instant(std::chrono::nanoseconds(1))}}) {
    message.stamp(stamp);
    EXPECT_EQ(find_stamp(message.bytes()), stamp);
    EXPECT_EQ(find_stamp("Received: from x\r\n" + std::string(message.bytes())), stamp);
    EXPECT_EQ(message.size(), 500U);
  }
}

TEST(Message, fields_in_front_change_nothing_behind_them) {
  const std::string fields = "DKIM-Signature: v=1;\r\n\tb=YQ==\r\n";
  const Message plain({.size = 500, .from = "a@a.example", .to = "b@b.example"});
  Message message(
      {.size = 500, .from = "a@a.example", .to = "b@b.example", .fields_in_front = fields});
  EXPECT_EQ(message.bytes(), fields + std::string(plain.bytes()));
  const Stamp stamp{7, Instant(std::chrono::hours(1))};
  message.stamp(stamp);
  EXPECT_TRUE(message.bytes().starts_with(fields + "X-Bench-Id: 0000000007 "));
  EXPECT_EQ(find_stamp(message.bytes()), stamp);
}

TEST(Message, what_is_no_stamp_is_none) {
  for (const std::string_view header :
       {"", "X-Bench-Id: ", "X-Bench-Id: 1", "X-Bench-Id: 1 x", "Y-X-Bench-Id: 1 2\r\n"})
    EXPECT_EQ(find_stamp(header), std::nullopt) << header;
}

TEST(AddressPattern, spreads_messages_over_domains) {
  const AddressPattern pattern{"u%m@d%d.example", 10};
  EXPECT_EQ(pattern.address(0), "u0@d0.example");
  EXPECT_EQ(pattern.address(123), "u123@d3.example");
  EXPECT_EQ((AddressPattern{"50%@x.example", 1}.address(3)), "50%@x.example");
}

}  // namespace
}  // namespace tapal::bench
