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

namespace tapal {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) == 0) out = ends[0], in = ends[1];
  }
  ~Pipe() {
    ::close(out);
    if (in >= 0) ::close(in);
  }
  std::string text() const {
    std::string all;
    std::array<char, 4'096> buffer{};
    for (ssize_t count = 0; (count = ::read(out, buffer.data(), buffer.size())) > 0;)
      all.append(buffer.data(), static_cast<std::size_t>(count));
    return all;
  }
  void close_in() {
    ::close(in);
    in = -1;
  }
  int out = -1;
  int in = -1;
};

TEST(LineWriter, writes_all_lines_in_their_order) {
  Pipe pipe;
  std::string expected;
  {
    LineWriter writer(pipe.in);
    for (int i = 0; i < 1'000; ++i) {
      writer.write(fmt::format("line {}", i));
      expected += fmt::format("line {}\n", i);
    }
  }
  pipe.close_in();
  EXPECT_EQ(pipe.text(), expected);
}

TEST(LineWriter, writes_without_being_ended) {
  const Pipe pipe;
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
    Pipe pipe;
    ::fcntl(pipe.in, F_SETFL, flags);
    const std::string line(1'000, 'x');
    const std::size_t lines = 3 * lines_waiting_bytes_max / line.size();
    std::string text;
    auto writer = std::make_unique<LineWriter>(pipe.in);
    for (std::size_t i = 0; i < lines; ++i) writer->write(line);
    std::thread reader([&pipe, &text] { text = pipe.text(); });
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
