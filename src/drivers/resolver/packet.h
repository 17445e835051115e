// What a resolver's response message says about a question.
#pragma once

#include <string_view>

#include "base/result.h"
#include "drivers/resolver/answer_cache.h"
#include "ports/resolver.h"

namespace tapal {

// Follows CNAMEs from the question's name and collects the records of its type there. The TTL is
// the least of the records used, or for "no" that of RFC 2308 section 5. Security is left to the
// caller. Code::try_later for every response code but NOERROR and NXDOMAIN and for a message that
// cannot be read.
Result<DnsAnswer> answer_from_packet(const DnsQuestion& question, std::string_view packet);

}  // namespace tapal
