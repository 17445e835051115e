// An account at whoever rents out this machine's addresses: what their reverse DNS says.
#pragma once

#include <string>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"

namespace tapal {

struct ReverseNames {
  virtual ~ReverseNames() = default;
  // Makes the PTR record of `address` name `host` (A-labels, no final dot). Comes back to `loop`.
  // Errors: denied (credentials), not_found (not an address of this account), invalid (refused; the
  // hoster's words are in the text), full (rate limit), try_later.
  virtual Task<Result<void>> set(Loop& loop, IpAddress address, std::string host) = 0;
};

}  // namespace tapal
