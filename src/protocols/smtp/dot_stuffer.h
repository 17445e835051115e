// Turns a message into what follows 354: dots doubled, every line ended by CRLF, the lone dot at
// the end (RFC 5321 section 4.5.2). A lone CR or LF becomes CRLF, so that no message can end its
// own transaction early; callers send such messages by BDAT instead, unchanged.
#pragma once

#include <string>
#include <string_view>

namespace tapal::smtp {

class DotStuffer {
 public:
  void append(std::string_view bytes, std::string& to);  // bytes in pieces, cut anywhere
  void finish(std::string& to);                          // the last line's end and the lone dot

 private:
  bool line_start_ = true;
  bool cr_held_ = false;  // the last byte was a CR, not yet written
};

}  // namespace tapal::smtp
