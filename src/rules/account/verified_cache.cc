#include "rules/account/verified_cache.h"

namespace tapal::account {

VerifiedCache::VerifiedCache(const Key& key, VerifiedCacheLimits limits)
    : key_(key), limits_(limits), entries_(limits.entries_max) {}

// Each part goes in as a digest of fixed length, so that no two claims give the same bytes.
crypto::Digest VerifiedCache::digest(const VerifiedClaim& claim) const {
  // NOLINTNEXTLINE(*-reinterpret-cast): bytes as the hash takes them
  const std::string_view key(reinterpret_cast<const char*>(key_.data()), key_.size());
  std::string parts;
  for (const std::string_view part : {claim.user, claim.password_hash, claim.password})
    parts += crypto::bytes_of(crypto::hmac_sha256(key, part));
  const crypto::Digest digest = crypto::hmac_sha256(key, parts);
  crypto::wipe(parts);
  return digest;
}

void VerifiedCache::remember(const VerifiedClaim& claim, Instant now) {
  if (limits_.entries_max == 0 || limits_.lifetime <= Duration::zero()) return;
  entries_.at(claim.user) = {digest(claim), now + limits_.lifetime};
}

bool VerifiedCache::is_verified(const VerifiedClaim& claim, Instant now) {
  const Entry* entry = entries_.find(claim.user);
  if (entry == nullptr) return false;
  if (now < entry->expires) return crypto::constant_time_equal(entry->digest, digest(claim));
  entries_.erase(claim.user);
  return false;
}

void VerifiedCache::clear() { entries_.clear(); }

}  // namespace tapal::account
