// TSIG: DNS messages that bear a signature by a secret which both servers have (RFC 8945).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tapal::dns {

inline constexpr std::chrono::seconds tsig_fudge{300};  // how far clocks may differ (section 10)

struct TsigKey {
  std::string name;                                  // canonical; both sides call it so
  std::string algorithm;                             // canonical: "hmac-sha256"
  std::function<std::string(std::string_view)> mac;  // by the secret, which it keeps
};

struct SignedMessage {
  std::string bytes;
  std::string mac;  // the answer's signature is over it, too
};

// `message` is whole and unsigned. Code::invalid when it would pass 65535 bytes.
Result<SignedMessage> sign_tsig(std::string message, const TsigKey& key, WallTime now);

// The answer to a request that was signed so, without its TSIG record. Errors:
//   denied     the server does not know the key, finds the signature wrong, or did not sign; the
//              clocks differ, and both are told
//   not_found  an unsigned REFUSED, as of a server that does not have the zone
//   invalid    not a DNS message
Result<std::string> verify_tsig(std::string_view answer,
                                const TsigKey& key,
                                const SignedMessage& request,
                                WallTime now);

}  // namespace tapal::dns
