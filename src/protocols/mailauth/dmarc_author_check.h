// One author domain put to the answers of DNS that are there: a step of dmarc_check.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocols/mailauth/dmarc_result.h"
#include "protocols/mailauth/dmarc_tree_walk.h"
#include "values/dns/public_suffix.h"

namespace tapal::mailauth {

// Nothing: an answer is missing. `author` and the identifiers' domains are comparable_name()s;
// identifiers passed or may have; `suffixes` may be null.
std::optional<DmarcResult> check_author(const std::string& author,
                                        const std::vector<DmarcIdentifier>& identifiers,
                                        DmarcAnswers& answers,
                                        const dns::PublicSuffixes* suffixes);

}  // namespace tapal::mailauth
