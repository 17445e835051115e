// The fields of a delivery report (RFC 3464 section 2), found in any text: many servers write them
// outside of the part that they belong in, or without the blank lines between recipients.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapal::bounce {

// Empty: not told.
struct ReportedRecipient {
  std::string recipient;   // of Final-Recipient, else Original-Recipient; without its type
  std::string action;      // lower case
  std::string status;      // "5.1.1"
  std::string diagnostic;  // unfolded, without its type
};

// At most `recipients_max`. None when the text is no report.
std::vector<ReportedRecipient> reported_recipients(std::string_view text,
                                                   std::size_t recipients_max);

}  // namespace tapal::bounce
