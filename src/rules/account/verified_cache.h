// Remembers for some minutes which passwords were right, so that an application that logs in for
// every message does not pay for argon2 each time. Holds a keyed digest, never a password.
// Single-threaded: the owner locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "rules/account/recent_map.h"
#include "values/crypto/hash.h"

namespace tapal::account {

struct VerifiedCacheLimits {
  std::size_t entries_max = 10'000;             // the longest unused entry goes first
  Duration lifetime = std::chrono::minutes(5);  // from the check by argon2; 0 turns the cache off
};

// What was right: the password of this user, against this stored hash. A changed hash makes old
// entries worthless.
struct VerifiedClaim {
  std::string_view user;
  std::string_view password_hash;
  std::string_view password;
};

class VerifiedCache {
 public:
  using Key = std::array<std::byte, 32>;  // random, made anew at every start
  VerifiedCache(const Key& key, VerifiedCacheLimits limits);

  void remember(const VerifiedClaim& claim, Instant now);
  bool is_verified(const VerifiedClaim& claim, Instant now);
  void clear();
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    crypto::Digest digest{};
    Instant expires{};
  };
  crypto::Digest digest(const VerifiedClaim& claim) const;

  Key key_;
  VerifiedCacheLimits limits_;
  RecentMap<Entry> entries_;  // by user: the newest password
};

}  // namespace tapal::account
