#include "bench/traffic/process.h"

#include <sys/resource.h>

namespace tapal::bench {
namespace {

constexpr std::size_t printed_bytes_max = 200;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, printed_bytes_max))
    out += c == '"' || c == '\\' || c < ' ' || c > '~' ? ' ' : c;
  return out;
}

}  // namespace tapal::bench
