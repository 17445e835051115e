// Changes to a DMARC record that leave the rest of its text as its owner wrote it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "protocols/mailauth/dmarc_record.h"

namespace tapal::provision {

// `text` must be a record that DmarcRecord::parse() takes.
std::string dmarc_with_policy(std::string_view text, mailauth::DmarcPolicy policy);
// Reports (rua=) go to these as well. Also for a TLS-RPT record (RFC 8460 section 3).
std::string with_reports(std::string_view text, std::span<const std::string> uris);

// Several records, which count as none (RFC 9989 section 4.7), as one: the strictest of them, with
// the reports of all. Empty where none of them applies.
std::string merge_dmarc(std::span<const std::string_view> texts);

}  // namespace tapal::provision
