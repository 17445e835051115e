// A message that a program of this machine left for the server (docs/decisions/0030-sendmail.md):
// one line of JSON that says from whom and to whom, then the message.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::queue {

// Addresses are as the program gave them: "root" has no domain yet.
struct DroppedMail {
  std::optional<std::string> sender;  // nothing: the user who left it; "": the null return path
  std::vector<std::string> recipients;
  std::string full_name;  // of the author, where the message has no From field; or empty
  std::string message;    // whole, CRLF lines
};

inline constexpr std::size_t dropped_recipients_max = 1000;
inline constexpr std::size_t dropped_message_bytes_max = 50'000'000;
inline constexpr std::size_t dropped_bytes_max = dropped_message_bytes_max + (1U << 20U);

std::string to_text(const DroppedMail& mail);
// Code::invalid where it is none, is cut short, or goes past the limits.
Result<DroppedMail> read_dropped_mail(std::string_view text);

}  // namespace tapal::queue
