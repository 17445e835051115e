#include "protocols/smtp/dot_stuffer.h"

#include <random>

namespace tapal::smtp {
namespace {

std::string stuffed(std::string_view bytes, std::size_t piece) {
  DotStuffer stuffer;
  std::string to;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    stuffer.append(bytes.substr(at, piece), to);
  stuffer.finish(to);
  return to;
}

TEST(DotStuffer, frames_messages_however_they_are_cut) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ".\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {"a", "a\r\n.\r\n"},
      {"\r\n", "\r\n.\r\n"},
      {".", "..\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"..\r\n", "...\r\n.\r\n"},
      {"a\r\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"},
      {"a.b\r\n", "a.b\r\n.\r\n"},
      {"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
      {"a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"},
      {"a\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"},
      {"a\r\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
      {"a\r\r\n", "a\r\n\r\n.\r\n"},
      {"a\r", "a\r\n.\r\n"},
      {"a\n\r", "a\r\n\r\n.\r\n"},
      {"a\r\n\r\n", "a\r\n\r\n.\r\n"},
      {std::string("\0.\r\n", 4), std::string("\0.\r\n.\r\n", 7)},
  };
  for (const auto& [bytes, expected] : cases) {
    for (std::size_t piece = 1; piece <= bytes.size() + 1; ++piece)
      EXPECT_EQ(stuffed(bytes, piece), expected) << testing::PrintToString(bytes) << piece;
  }
}

TEST(DotStuffer, ends_at_the_end_only_and_loses_nothing) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 20, ' ');
    for (char& c : bytes) c = "\r\n.ab"[random() % 5];
    const std::string out = stuffed(bytes, 1 + random() % 7);
    EXPECT_EQ(out, stuffed(bytes, 100)) << testing::PrintToString(bytes);
    EXPECT_TRUE(out == ".\r\n" || out.ends_with("\r\n.\r\n"));
    EXPECT_EQ(("\r\n" + out).find("\r\n.\r\n"), out.size() - 3) << testing::PrintToString(bytes);
    std::string back;  // each CR has its LF, and taking the dots away gives the lines again
    for (std::size_t at = 0; at < out.size();) {
      const std::size_t end = out.find("\r\n", at);
      ASSERT_NE(end, std::string::npos);
      std::string line = out.substr(at, end - at);
      EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
      if (line.starts_with('.')) line.erase(0, 1);
      at = end + 2;
      if (at < out.size()) back += line + "\r\n";
    }
    std::string expected;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const bool pair = bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n';
      if (pair) ++i;
      if (bytes[i] == '\r' || bytes[i] == '\n')
        expected += "\r\n";
      else
        expected += bytes[i];
    }
    if (!expected.empty() && !expected.ends_with("\r\n")) expected += "\r\n";
    EXPECT_EQ(back, expected) << testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace tapal::smtp
