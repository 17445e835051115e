// A pipe for tests: what is written to `in` comes out again. At most 64 KiB wait in it.
#pragma once

#include <array>
#include <string>

#include <unistd.h>

namespace tapal {

struct TestPipe {
  TestPipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) == 0) out = ends[0], in = ends[1];
  }
  ~TestPipe() {
    ::close(out);
    close_in();
  }
  TestPipe(const TestPipe&) = delete;
  TestPipe& operator=(const TestPipe&) = delete;

  void close_in() {
    if (in >= 0) ::close(in);
    in = -1;
  }
  // Until the other end is closed.
  std::string read_all() const {
    std::string all;
    std::array<char, 4'096> buffer{};
    for (ssize_t count = 0; (count = ::read(out, buffer.data(), buffer.size())) > 0;)
      all.append(buffer.data(), static_cast<std::size_t>(count));
    return all;
  }
  // Nothing may be written after it.
  std::string text() {
    close_in();
    return read_all();
  }

  int out = -1;
  int in = -1;
};

}  // namespace tapal
