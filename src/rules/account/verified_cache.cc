#include "rules/account/verified_cache.h"

namespace tapal::account {

VerifiedCache::VerifiedCache(const Key& key, VerifiedCacheLimits limits)
    : key_(key), limits_(limits) {}

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
  const auto known = by_user_.find(claim.user);
  if (known != by_user_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
  } else {
    while (entries_.size() >= limits_.entries_max) {
      by_user_.erase(entries_.back().user);
      entries_.pop_back();
    }
    entries_.push_front({std::string(claim.user), {}, {}});
    by_user_.emplace(entries_.front().user, entries_.begin());
  }
  entries_.front().digest = digest(claim);
  entries_.front().expires = now + limits_.lifetime;
}

bool VerifiedCache::is_verified(const VerifiedClaim& claim, Instant now) {
  const auto known = by_user_.find(claim.user);
  if (known == by_user_.end()) return false;
  const auto entry = known->second;
  if (now >= entry->expires) {
    by_user_.erase(known);
    entries_.erase(entry);
    return false;
  }
  if (!crypto::constant_time_equal(entry->digest, digest(claim))) return false;
  entries_.splice(entries_.begin(), entries_, entry);
  return true;
}

void VerifiedCache::clear() {
  by_user_.clear();
  entries_.clear();
}

}  // namespace tapal::account
