#include "protocols/smtp/dot_stuffer.h"

#include <algorithm>

namespace tapal::smtp {

// Whole runs are copied between the places where a byte must be added: before a dot that begins a
// line, and beside a lone CR or LF.
void DotStuffer::append(std::string_view bytes, std::string& to) {
  if (bytes.empty()) return;
  if (cr_held_) {
    cr_held_ = false;
    line_start_ = true;
    to += "\r\n";
    if (bytes.front() == '\n') bytes.remove_prefix(1);
  }
  std::size_t copied = 0;
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (line_start_ && bytes[at] == '.') {
      to += bytes.substr(copied, at - copied);
      to += '.';
      copied = at;
    }
    line_start_ = false;
    const std::size_t lf = std::min(bytes.find('\n', at), bytes.size());
    const std::string_view line = bytes.substr(at, lf - at);
    const std::size_t cr = line.find('\r');
    if (cr == std::string_view::npos && lf == bytes.size()) break;
    if (cr != std::string_view::npos && cr + 1 == line.size()) {
      if (lf == bytes.size()) {  // a LF may follow
        to += bytes.substr(copied, at + cr - copied);
        cr_held_ = true;
        return;
      }
      at = lf + 1;
    } else {
      const std::size_t lone = cr == std::string_view::npos ? lf : at + cr;
      to += bytes.substr(copied, lone - copied);
      to += "\r\n";
      copied = at = lone + 1;
    }
    line_start_ = true;
  }
  to += bytes.substr(copied);
}

void DotStuffer::finish(std::string& to) {
  if (cr_held_ || !line_start_) to += "\r\n";
  to += ".\r\n";
  *this = {};
}

}  // namespace tapal::smtp
