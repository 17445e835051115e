// The header of a branch that an alias passes on: our own fields, a seal or a signature, and the
// message's header as it was, or as a remedy changes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "protocols/mailauth/findings.h"
#include "rules/forward/plan.h"
#include "services/intake/branch.h"
#include "services/intake/domains.h"
#include "services/intake/options.h"
#include "values/crypto/hash.h"

namespace tapal::intake {

// Of the message that the branch is of. Borrowed for the call.
struct HeadInput {
  const mail::Address& alias;  // that passes the branch on
  const Domains& domains;
  const Options& options;
  WallTime now;
  std::string_view header;        // CRLF lines, no blank line
  std::string_view trace_fields;  // Received and Authentication-Results, to stand above it
  const mailauth::Findings* findings = nullptr;  // null: nobody checked the message
  std::optional<crypto::Digest> body_hash;       // relaxed; nothing: nobody will sign
};

// What goes in front of CRLF and the body. `way` is not refuse. Errors: invalid where the header
// cannot be changed so, those of signing, those of reading the branch's body.
Result<std::string> branch_head(const Branch& branch, forward::Remedy way, const HeadInput& input);

// The return path of mail that an alias passes on: one of ours that leads back, so that it passes
// SPF at the target. Without a key, and of our own users, the old one.
struct PassedOnPath {
  std::optional<mail::Address> path;
  bool is_kept = false;  // it leads back by the message's name: ReturnPaths::keep() the old one
};
PassedOnPath passed_on_path(const Domains& domains,
                            const std::optional<mail::Address>& path,
                            const mail::Address& alias,
                            QueueId name,
                            WallTime now);

}  // namespace tapal::intake
