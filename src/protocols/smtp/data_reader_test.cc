#include "protocols/smtp/data_reader.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace tapal::smtp {
namespace {

using Format = DataReader::Format;

struct Outcome {
  std::string decoded;  // empty after a violation: whoever got it drops it
  std::size_t taken = 0;
  bool ended = false;
  Violation violation = Violation::none;
  bool operator==(const Outcome&) const = default;
};

Outcome read(Format format, DataReader::Limits limits, const std::vector<std::string>& pieces) {
  DataReader reader(format, limits);
  Outcome outcome;
  for (const std::string& piece : pieces)
    if (!reader.ended()) outcome.taken += reader.read(piece, outcome.decoded);
  if (format != Format::dot_stuffed) reader.finish(outcome.decoded);
  outcome.ended = reader.ended();
  outcome.violation = reader.violation();
  if (outcome.violation == Violation::none) {
    EXPECT_EQ(reader.decoded_bytes(), outcome.decoded.size());
  } else {
    outcome.decoded.clear();
  }
  return outcome;
}

struct Case {
  std::string name;
  Format format;
  std::string bytes;
  std::string decoded;
  std::size_t left;  // bytes not taken
  bool ended;
  Violation violation;
};

const DataReader::Limits small{10, 40, 60};

std::vector<Case> cases() {
  using enum Violation;
  using namespace std::string_literals;
  const Format dots = Format::dot_stuffed;
  const Format lines = Format::lines;
  const Format binary = Format::binary;
  return {
      {"empty message", dots, ".\r\n", "", 0, true, none},
      {"one line", dots, "a\r\n.\r\nQUIT\r\n", "a\r\n", 6, true, none},
      {"no end yet", dots, "a\r\n.", "a\r\n", 0, false, none},
      {"stuffed dots", dots, "..\r\n...a\r\n.b\r\n.\r\n", ".\r\n..a\r\nb\r\n", 0, true, none},
      {"a dot within a line", dots, "a.\r\n.\r\n", "a.\r\n", 0, true, none},
      {"ten characters", dots, "0123456789\r\n.\r\n", "0123456789\r\n", 0, true, none},
      {"the stuffing dot is not counted",
       dots,
       "..123456789\r\n.\r\n",
       ".123456789\r\n",
       0,
       true,
       none},
      {"eleven characters", dots, "01234567890\r\n.\r\n", "", 0, true, line_too_long},
      {"NUL", dots, "a\0b\r\n.\r\n"s, "", 0, true, nul},
      {"bare LF", dots, "a\nb\r\n.\r\n", "", 0, true, bare_lf},
      {"bare CR", dots, "a\rb\r\n.\r\n", "", 0, true, bare_cr},
      {"two CR", dots, "a\r\r\n.\r\n", "", 0, true, bare_cr},
      {"LF . LF", dots, "a\n.\n", "", 0, false, bare_lf},
      {"CRLF . LF", dots, "a\r\n.\n", "", 0, false, bare_lf},
      {"LF . CRLF", dots, "a\n.\r\n", "", 0, false, bare_lf},
      {"CR . CR", dots, "a\r.\r", "", 0, false, bare_cr},
      {"CRLF . CR", dots, "a\r\n.\rb", "", 0, false, bare_cr},
      {"CR . CRLF", dots, "a\r.\r\n", "", 0, false, bare_cr},
      {"CRLF . CR CRLF", dots, "a\r\n.\r\r\n", "", 0, false, bare_cr},
      {"CR NUL LF . LF", dots, "a\r\0\n.\n"s, "", 0, false, bare_lf},
      {"LF is worse than CR", dots, "a\nb\rc\r\n.\r\n", "", 0, true, bare_lf},
      {"header of forty bytes",
       dots,
       "12345678\r\n12345678\r\n12345678\r\n123456\r\n\r\n.\r\n",
       "12345678\r\n12345678\r\n12345678\r\n123456\r\n\r\n",
       0,
       true,
       none},
      {"header of forty-one bytes",
       dots,
       "12345678\r\n12345678\r\n12345678\r\n1234567\r\n\r\n.\r\n",
       "",
       0,
       true,
       header_too_big},
      {"message of sixty bytes",
       dots,
       "\r\n12345678\r\n12345678\r\n12345678\r\n12345678\r\n12345678\r\n123456\r\n.\r\n",
       "\r\n12345678\r\n12345678\r\n12345678\r\n12345678\r\n12345678\r\n123456\r\n",
       0,
       true,
       none},
      {"message of sixty-one bytes",
       dots,
       "\r\n12345678\r\n12345678\r\n12345678\r\n12345678\r\n12345678\r\n1234567\r\n.\r\n",
       "",
       0,
       true,
       message_too_big},
      {"chunk with a dot line", lines, ".\r\n..\r\n", ".\r\n..\r\n", 0, false, none},
      {"chunk without a line end", lines, "ab", "ab", 0, false, none},
      {"chunk ending in CR", lines, "ab\r", "", 0, false, bare_cr},
      {"chunk with bare LF", lines, "a\n", "", 0, false, bare_lf},
      {"binary body",
       binary,
       "\r\n\n\r\0\r\r\n0123456789abc\r"s,
       "\r\n\n\r\0\r\r\n0123456789abc\r"s,
       0,
       false,
       none},
      {"binary with bare LF in its header", binary, "a\n\r\n", "", 0, false, bare_lf},
      {"binary with a header too big",
       binary,
       "12345678\r\n12345678\r\n12345678\r\n12345678\r\n1\r\n",
       "",
       0,
       false,
       header_too_big},
  };
}

TEST(DataReader, decodes_and_judges) {
  for (const Case& each : cases()) {
    const Outcome outcome = read(each.format, small, {each.bytes});
    EXPECT_EQ(outcome,
              (Outcome{each.decoded, each.bytes.size() - each.left, each.ended, each.violation}))
        << each.name << ": violation " << static_cast<int>(outcome.violation) << ", taken "
        << outcome.taken << ", decoded " << ::testing::PrintToString(outcome.decoded);
  }
}

TEST(DataReader, gives_the_same_however_the_bytes_are_cut) {
  for (const Case& each : cases()) {
    const Outcome whole = read(each.format, small, {each.bytes});
    std::vector<std::string> bytes;
    for (const char c : each.bytes) bytes.emplace_back(1, c);
    EXPECT_EQ(read(each.format, small, bytes), whole) << each.name;
    for (std::size_t cut = 0; cut <= each.bytes.size(); ++cut)
      EXPECT_EQ(read(each.format, small, {each.bytes.substr(0, cut), each.bytes.substr(cut)}),
                whole)
          << each.name << " cut at " << cut;
  }
}

TEST(DataReader, gives_the_same_for_random_bytes_of_interest) {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    std::mt19937 random(seed);
    std::string bytes;
    for (unsigned count = random() % 40; count > 0; --count)
      bytes += std::string_view("\r\n.\r\n.a\0", 8)[random() % 8];
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = 1 + random() % 5;
      pieces.push_back(bytes.substr(at, size));
      at += size;
    }
    for (const Format format : {Format::dot_stuffed, Format::lines, Format::binary})
      EXPECT_EQ(read(format, small, pieces), read(format, small, {bytes})) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tapal::smtp
