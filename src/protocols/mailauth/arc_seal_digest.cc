#include "protocols/mailauth/arc_seal_digest.h"

#include "protocols/mailauth/canonical.h"
#include "protocols/mailauth/signed_header.h"

namespace tapal::mailauth {

crypto::Digest ArcSealDigest::add(const RawField& results,
                                  const RawField& message,
                                  const RawField& seal) {
  update(results);
  update(message);
  const auto tags = field_tags(seal);
  const Tag* b = tags ? tags->find("b") : nullptr;
  std::string own;
  append_canonical_field(own,
                         b == nullptr ? std::string(seal.raw) : without_signature(seal, *b),
                         Canonicalization::relaxed);
  crypto::Sha256 with_own(before_);
  with_own.update(own);
  update(seal);
  return with_own.finish();
}

void ArcSealDigest::update(const RawField& field) {
  std::string canonical;
  append_canonical_field(canonical, field.raw, Canonicalization::relaxed);
  before_.update(canonical);
  before_.update("\r\n");
}

}  // namespace tapal::mailauth
