// Where the TXT values that an authority for certificates asks for are shown in DNS (dns-01, RFC
// 8555 section 8.4): an account at the zone's provider, or a hook of the user's own.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"

namespace tapal {

struct ChallengeTexts {
  virtual ~ChallengeTexts() = default;
  // `name` is where the record is, aliases already followed: A-labels, no final dot. Values at one
  // name stand side by side (a name and its wildcard have one each); what others put there stays.
  // Comes back to `loop` when the value is given to the provider, which is not yet shown by every
  // server. Errors: those of DnsAccount; of a hook: not_found, denied, timed_out, and try_later
  // when it fails, with what it printed last.
  virtual Task<Result<void>> add(Loop& loop, std::string name, std::string value) = 0;
  // That it is not there (any more) is no error.
  virtual Task<Result<void>> remove(Loop& loop, std::string name, std::string value) = 0;
};

}  // namespace tapal
