// Checks a message's DKIM signatures against DNS, for commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/resolver/unbound_resolver.h"
#include "protocols/mailauth/dkim_verify.h"

namespace tapal::app {

// `message` with CRLF line ends. Blocks while DNS is asked.
Result<std::vector<mailauth::DkimResult>> check_dkim(std::string_view message,
                                                     ResolverOptions options);

}  // namespace tapal::app
