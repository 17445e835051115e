// The text that a mail program shows under "show original" or "view message source", read to see
// how the receiver judged the message: Gmail's page or download, Outlook's, or any raw header.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/provision/finding.h"

namespace tapal::provision {

inline constexpr std::size_t pasted_bytes_max = 1UL << 20U;  // more is not looked at

struct PastedMessage {
  std::string receiver;  // who judged: "mx.google.com"; may be empty
  std::string from;      // the author's domain; may be empty
  // Of paste.spf, paste.dkim, paste.dmarc, paste.arc, paste.tls, paste.ipv6, paste.delay.
  std::vector<Finding> findings;
};

// Code::invalid: there is nothing of a message's header in it.
Result<PastedMessage> grade_paste(std::string_view text);

}  // namespace tapal::provision
