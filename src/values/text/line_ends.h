// Line ends of the network (CRLF) and of files here (LF).
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tapal::text {

// CRLF to LF over bytes that come in pieces, cut anywhere. A CR that stands alone stays.
class ToLocalLineEnds {
 public:
  // Borrowed until the next call.
  std::string_view convert(std::string_view bytes) {
    out_.clear();
    for (const char c : bytes) {
      if (held_cr_ && c != '\n') out_ += '\r';
      held_cr_ = c == '\r';
      if (!held_cr_) out_ += c;
    }
    return out_;
  }
  std::string_view rest() { return std::exchange(held_cr_, false) ? "\r" : ""; }

 private:
  std::string out_;
  bool held_cr_ = false;
};

}  // namespace tapal::text
