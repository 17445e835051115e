// A notice in words, as people are to read it: which addresses it is about, and what it says of
// each.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/bounce/classify.h"

namespace tapal::bounce {

struct ToldRecipient {
  std::string recipient;
  std::string said;  // on one line, cut at said_bytes_max
};

// The lines of the notice itself: what is returned of the message is cut off.
std::vector<std::string_view> told_lines(std::string_view text);
std::vector<std::string_view> all_lines(std::string_view text);  // but for blank ones

// In the order in which they are first named. Addresses of `not_about` are passed over: those whom
// the notice was sent to.
std::vector<ToldRecipient> told_recipients(std::span<const std::string_view> lines,
                                           std::span<const std::string> not_about);

std::string joined(std::span<const std::string_view> lines);  // cut at said_bytes_max

// What a line of SMTP is an answer to, where the words tell: "(in reply to RCPT TO command)".
std::optional<Phase> phase_told(std::string_view said);
// The first code of a refusal in the words, or 0.
int code_told(std::string_view said);

}  // namespace tapal::bounce
