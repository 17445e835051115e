// Writes lines on a thread of its own, many with one system call: whoever logs neither pays for a
// call a line nor waits for a slow reader.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace tapal {

inline constexpr std::size_t lines_waiting_bytes_max = 4UL * 1024 * 1024;

// To a descriptor that it does not own and that must stay open. Safe from any thread. A line is
// written within about 10 ms, after all that came before it; every write(2) ends with a line's end.
class LineWriter {
 public:
  explicit LineWriter(int descriptor);
  ~LineWriter();  // writes what waits
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Without its end. Lines over lines_waiting_bytes_max in all are lost; a line then says how many.
  void write(std::string_view line);

 private:
  void run();
  void write_out(std::string_view lines) const;

  int descriptor_;
  std::mutex mutex_;  // guards all below
  std::condition_variable arrived_;
  std::string waiting_;
  std::size_t lost_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tapal
