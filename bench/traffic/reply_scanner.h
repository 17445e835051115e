// Replies of a server as the load generator needs them: a code, and the text of the whole reply.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tapal::bench {

struct ServerReply {
  int code = 0;      // 200 to 599; 0: what came is no reply
  std::string text;  // whole lines, as they came

  bool positive() const { return code < 400; }
  bool transient() const { return code >= 400 && code < 500; }
};

class ReplyScanner {
 public:
  static constexpr std::size_t reply_bytes_max = 64 * 1024;

  void add(std::string_view bytes) { unread_ += bytes; }
  // The next whole reply. A line that is none, or a reply without end, gives code 0 for good.
  std::optional<ServerReply> next();
  bool empty() const { return unread_.empty(); }

 private:
  std::string unread_;
};

}  // namespace tapal::bench
