#include "drivers/system/line_writer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "drivers/system/test_pipe.h"

namespace tapal {
namespace {

TEST(LineWriter, writes_all_lines_in_their_order) {
  TestPipe pipe;
  std::string expected;
  {
    LineWriter writer(pipe.in);
    for (int i = 0; i < 1'000; ++i) {
      writer.write(fmt::format("line {}", i));
      expected += fmt::format("line {}\n", i);
    }
  }
  EXPECT_EQ(pipe.text(), expected);
}

TEST(LineWriter, writes_without_being_ended) {
  const TestPipe pipe;
  LineWriter writer(pipe.in);
  std::array<char, 6> buffer{};
  for (int i = 0; i < 3; ++i) {
    writer.write("hello");
    ASSERT_EQ(::read(pipe.out, buffer.data(), buffer.size()), 6);
    EXPECT_EQ(std::string_view(buffer.data(), 6), "hello\n");
  }
}

TEST(LineWriter, never_waits_for_a_slow_reader_and_says_what_was_lost) {
  for (const int flags : {0, O_NONBLOCK}) {
    TestPipe pipe;
    ::fcntl(pipe.in, F_SETFL, flags);
    const std::string line(1'000, 'x');
    const std::size_t lines = 3 * lines_waiting_bytes_max / line.size();
    std::string text;
    auto writer = std::make_unique<LineWriter>(pipe.in);
    for (std::size_t i = 0; i < lines; ++i) writer->write(line);
    std::thread reader([&pipe, &text] { text = pipe.read_all(); });
    writer.reset();
    pipe.close_in();
    reader.join();
    const auto note = text.find(" log lines lost: the reader is slow\n");
    ASSERT_NE(note, std::string::npos) << flags;
    const auto begin = text.rfind('\n', note) + 1;
    const auto lost = std::stoul(text.substr(begin, note - begin));
    const auto kept = static_cast<std::size_t>(std::ranges::count(text, '\n')) - 1;
    EXPECT_EQ(kept + lost, lines) << flags;
  }
}

}  // namespace
}  // namespace tapal
