// Checks one message from outside while it comes in: SPF, DKIM, ARC, DMARC and the peer's name. The
// cores are in protocols/mailauth; this asks DNS for them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/task.h"
#include "base/time.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "protocols/mailauth/findings.h"
#include "values/dns/public_suffix.h"
#include "values/mail/address.h"

namespace tapal::intake {

struct VerificationSubject {
  IpAddress peer;
  std::string helo;
  std::optional<mail::Address> return_path;
  std::string host_name;  // our own
  WallTime now{};
};

// References must outlive the task.
struct VerificationWorld {
  Loop& loop;
  Resolver& resolver;
  const dns::PublicSuffixes* suffixes = nullptr;  // may be null
};

class Verification {
 public:
  // `header_block`: all fields with CRLF line ends, as they came.
  Verification(VerificationSubject subject, std::string_view header_block);
  ~Verification();

  void on_body(std::string_view chunk);
  // Once, after the whole body. What DNS does not answer until `until` counts as failing for now.
  Task<mailauth::Findings> finish(VerificationWorld world, Instant until);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tapal::intake
