// Checks a message's ARC chain (RFC 8617 section 5.2). Header, body and keys come by the
// SignedMessage.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/time.h"
#include "protocols/mailauth/arc_chain.h"
#include "protocols/mailauth/signed_message.h"

namespace tapal::mailauth {

struct ArcLimits {
  // How far t= may be ahead of our clock. Wider than for DKIM: a hop whose clock is wrong would
  // break the chain of every message it forwards.
  std::chrono::seconds future_max = std::chrono::hours(24);
};

// One set as its sealer made it. Who that is has been proved only when the chain passes.
struct ArcHop {
  int instance = 0;
  std::string domain;  // of the seal, d= and s=; empty when the seal is malformed or missing
  std::string selector;
  ArcStatus chain = ArcStatus::none;  // cv=
  std::string results;                // "authserv-id; spf=pass ...", printable, cut at 4 KiB
};

struct ArcResult {
  // fail also for what could not be looked up: all failures are permanent (RFC 8617 section 5.2.1).
  ArcStatus status = ArcStatus::none;
  std::string reason;        // for a person; empty for pass and none
  std::vector<ArcHop> hops;  // first hop first
  // Of a chain that passes: the lowest instance from which on all message signatures are still
  // good; 0 when all are (RFC 8617 section 5.2, step 5). Older signatures are checked with the keys
  // that the chain itself needs; one with another key would cost another question and ends this.
  int oldest_pass = 0;
};

class ArcVerifier {
 public:
  // Tells `message`, which must outlive this, what the chain needs: nothing when it is none.
  explicit ArcVerifier(SignedMessage& message, ArcLimits limits = {});

  // After the whole body.
  ArcResult result(WallTime now) const;

 private:
  // Each is empty when all is good.
  std::string trouble_of_message(const ArcSet& set, WallTime now) const;
  std::string trouble_of_seals(WallTime now) const;
  std::string trouble_of_time(const DkimSignature& signature, WallTime now) const;
  std::string trouble_of_key(const DkimSignature& signature, const crypto::Digest& digest) const;

  SignedMessage* message_;
  ArcLimits limits_;
  ArcChain chain_;
  std::size_t checkable_from_ = 0;  // sets with a message signature that can be checked
};

}  // namespace tapal::mailauth
