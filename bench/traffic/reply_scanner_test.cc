#include "bench/traffic/reply_scanner.h"

#include <gtest/gtest.h>

namespace tapal::bench {
namespace {

TEST(ReplyScanner, gives_whole_replies_however_they_are_cut) {
  const std::string bytes = "250-a.example\r\n250-PIPELINING\r\n250 SIZE 1\r\n354 go on\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    ReplyScanner scanner;
    std::string codes;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      scanner.add(std::string_view(bytes).substr(at, piece));
      while (const auto reply = scanner.next()) codes += std::to_string(reply->code) + " ";
    }
    EXPECT_EQ(codes, "250 354 ") << "in pieces of " << piece;
  }
}

TEST(ReplyScanner, says_so_when_it_is_no_reply) {
  for (const auto* bytes :
       {"hello\r\n", "\r\n", "99 x\r\n", "150 x\r\n", "999 x\r\n", "2x0 x\r\n"}) {
    ReplyScanner scanner;
    scanner.add(bytes);
    const auto reply = scanner.next();
    ASSERT_TRUE(reply) << bytes;
    EXPECT_EQ(reply->code, 0) << bytes;
  }
}

TEST(ReplyScanner, gives_up_on_a_reply_without_end) {
  ReplyScanner scanner;
  std::optional<ServerReply> reply;
  for (int i = 0; i < 10'000 && !reply; ++i) {
    scanner.add("250-more\r\n");
    reply = scanner.next();
  }
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, 0);
}

}  // namespace
}  // namespace tapal::bench
