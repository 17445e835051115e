#include "bench/traffic/reply_scanner.h"

#include <algorithm>

namespace tapal::bench {
namespace {

int code_of(std::string_view line) {
  const auto digit = [&](std::size_t i) { return line[i] >= '0' && line[i] <= '9'; };
  if (line.size() < 5 || !digit(0) || !digit(1) || !digit(2)) return 0;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

std::optional<ServerReply> ReplyScanner::next() {
  std::size_t begin = 0;
  for (;;) {
    const auto end = unread_.find('\n', begin);
    if (end == std::string::npos) {
      if (unread_.size() > reply_bytes_max) return ServerReply{};
      return std::nullopt;
    }
    const auto line = std::string_view(unread_).substr(begin, end + 1 - begin);
    const int code = code_of(line);
    if (code < 200 || code > 599) return ServerReply{0, std::string(line)};
    begin = end + 1;
    if (line[3] == '-') continue;
    ServerReply reply{code, unread_.substr(0, begin)};
    unread_.erase(0, begin);
    return reply;
  }
}

}  // namespace tapal::bench
