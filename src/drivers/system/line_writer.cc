#include "drivers/system/line_writer.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

namespace tapal {
namespace {

constexpr std::chrono::milliseconds gather_for{10};
constexpr std::size_t gather_bytes_max = 64UL * 1024;

}  // namespace

LineWriter::LineWriter(int descriptor) : descriptor_(descriptor), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "log");
}

LineWriter::~LineWriter() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void LineWriter::write(std::string_view line) {
  bool notify = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto before = waiting_.size();
    if (before + line.size() >= lines_waiting_bytes_max) {
      ++lost_;
      return;
    }
    waiting_.append(line) += '\n';
    notify = before == 0 || (before < gather_bytes_max && waiting_.size() >= gather_bytes_max);
  }
  if (notify) arrived_.notify_one();
}

void LineWriter::run() {
  std::string lines;
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    arrived_.wait_for(
        lock, gather_for, [this] { return stopping_ || waiting_.size() >= gather_bytes_max; });
    if (waiting_.empty()) return;
    lines.swap(waiting_);
    if (lost_ > 0) lines += fmt::format("{} log lines lost: the reader is slow\n", lost_);
    lost_ = 0;
    lock.unlock();
    write_out(lines);
    lines.clear();
    lock.lock();
  }
}

// Where nobody takes them they are lost: there is no place to complain.
void LineWriter::write_out(std::string_view lines) const {
  while (!lines.empty()) {
    const auto written = ::write(descriptor_, lines.data(), lines.size());
    if (written >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace tapal
