// A reply of SMTP or LMTP as a value, its form on the wire, and the reader for a peer's replies
// (RFC 5321 section 4.2, RFC 2034, RFC 3463).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::smtp {

struct Reply {
  int code = 0;                    // 200 to 599
  std::string status;              // enhanced status code as "5.7.1", or empty
  std::vector<std::string> lines;  // texts without code and status; may be empty

  bool operator==(const Reply&) const = default;
};

// As it is sent: CRLF after each line, the code on each line, the status before each text
// (RFC 2034 section 4). Control characters in a text become spaces, so that no text can break out
// of its line; an empty `lines` gives one line with no text.
std::string wire(const Reply& reply);

// For the log and for people: "550 5.1.1 no such user / see https://…", printable, cut at 1000
// bytes.
std::string one_line(const Reply& reply);

// `text` may have several lines, separated by LF. `status` may be empty.
Reply make_reply(int code, std::string_view status, std::string_view text);

constexpr bool is_positive(const Reply& reply) { return reply.code >= 200 && reply.code < 300; }
constexpr bool is_intermediate(const Reply& reply) { return reply.code >= 300 && reply.code < 400; }
constexpr bool is_transient(const Reply& reply) { return reply.code >= 400 && reply.code < 500; }
constexpr bool is_permanent(const Reply& reply) { return reply.code >= 500 && reply.code < 600; }

// The parts of "5.7.1" when it has the form of RFC 3463 section 2: class 2, 4 or 5, then two
// numbers of at most three digits.
std::optional<std::string_view> leading_status(std::string_view text);

// Reads a peer's replies from bytes that come in pieces. Tolerant: LF alone ends a line, the text
// may be missing, trailing white space is dropped. When the lines of one reply differ in their
// codes, the last line's code and status hold: RFC 5321 section 4.2.1 forbids the difference and
// leaves the outcome open, and Postfix decides so (smtp_chat_resp in smtp_chat.c). An error is
// final.
class ReplyReader {
 public:
  static constexpr std::size_t line_bytes_max = 2048;  // without its CRLF; RFC 5321 promises 512
  static constexpr std::size_t lines_max = 128;

  // Takes bytes up to the end of one reply and says how many it took; all of them when no reply
  // ends in them. Call again with the rest after take().
  Result<std::size_t> feed(std::string_view bytes);
  bool is_ready() const { return ready_; }
  Reply take();  // only when is_ready(); begins the next reply
  bool is_empty() const { return !ready_ && line_.empty() && reply_.lines.empty(); }

 private:
  Result<void> end_line();

  std::string line_;  // the unfinished line
  Reply reply_;
  bool ready_ = false;
  std::optional<Error> error_;
};

}  // namespace tapal::smtp
