// The Authentication-Results fields that this side put on a message (RFC 8601), gathered for its
// ARC set: an ARC-Authentication-Results field holds them all (RFC 8617 section 4.1.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mailauth/arc_chain.h"
#include "protocols/mailauth/header_block.h"

namespace tapal::mailauth {

inline constexpr std::size_t own_results_bytes_max = 32 * 1024;  // further results are left out

struct OwnResults {
  std::string payload;  // "authserv-id; arc=none; spf=pass ...", one line, in the header's order
  // What they say of the ARC chain as it was when the message came; nothing when they say nothing
  // or do not agree.
  std::optional<ArcStatus> chain;
};

// Of the fields whose authserv-id is this one, ignoring case; nothing when there are none. Whoever
// lets others' fields of that name in must not believe the outcome (RFC 8601 section 5).
std::optional<OwnResults> own_results(const std::vector<RawField>& fields,
                                      std::string_view authserv_id);

// What the chain was when the message came: our own word of then, since the message may have been
// changed here; where there is none, what checking it `now` gives.
ArcStatus chain_at_arrival(const OwnResults& own, ArcStatus now);

}  // namespace tapal::mailauth
