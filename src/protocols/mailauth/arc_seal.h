// Adds an ARC set to a message (RFC 8617 section 5.1): what the checks here found, signed, for
// those who get the message next.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocols/mailauth/arc_chain.h"
#include "protocols/mailauth/dkim_sign.h"
#include "protocols/mailauth/header_block.h"
#include "values/crypto/hash.h"

namespace tapal::mailauth {

struct ArcSealing {
  // What the chain was when the message came (ArcResult::status): cv=.
  ArcStatus chain = ArcStatus::none;
  // The payload of RFC 8601 section 2.2: "authserv-id; spf=pass ...; arc=pass".
  std::string results;
  // h= of the message signature; empty: arc_signed_fields(). Written in lower case. Names of fields
  // that are not there may be listed; ARC-Seal may not.
  std::vector<std::string> signed_fields;
  WallTime now;  // t=
};

// dkim_signed_fields() and all DKIM signatures; never fields of ARC, Authentication-Results or the
// trace (RFC 8617 section 4.1.2).
std::vector<std::string> arc_signed_fields(const std::vector<RawField>& fields);

// Three header fields, CRLF included, to put in front of the message: seal, message signature,
// results. Same input, same bytes. The header block is all fields with CRLF line ends, and
// `body_hash` is of the relaxed body (DkimBodyHasher). May be called from any thread.
// A chain that does not hold together, or that `chain` calls failed, is sealed with cv=fail, and
// the seal covers its own set alone (RFC 8617 section 5.1.2). Code::denied: nobody may add to this
// chain: its last seal says fail already, or it has arc_sets_max sets. Code::invalid: no From
// field, ARC-Seal or no From in signed_fields, too many fields, an EC key, names that are no
// domains.
Result<std::string> arc_seal(const DkimSigner& signer,
                             std::string_view header_block,
                             const crypto::Digest& body_hash,
                             const ArcSealing& sealing);

}  // namespace tapal::mailauth
