// What ARC seals sign (RFC 8617 section 5.1.1): all sets up to their own, each as results, message
// signature, seal, in the relaxed form; their own b= emptied.
#pragma once

#include "protocols/mailauth/header_block.h"
#include "values/crypto/hash.h"

namespace tapal::mailauth {

// Takes the sets from the first on; the work is linear in their bytes.
class ArcSealDigest {
 public:
  // What this set's seal signs. A `seal` that is no tag list with a b= is hashed as it stands.
  crypto::Digest add(const RawField& results, const RawField& message, const RawField& seal);

 private:
  void update(const RawField& field);

  crypto::Sha256 before_;
};

}  // namespace tapal::mailauth
