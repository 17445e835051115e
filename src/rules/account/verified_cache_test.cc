#include "rules/account/verified_cache.h"

#include <gtest/gtest.h>

namespace tapal::account {
namespace {

constexpr Instant start = Instant() + std::chrono::hours(1);

VerifiedCache make_cache(VerifiedCacheLimits limits = {}) {
  VerifiedCache::Key key{};
  key.fill(std::byte{7});
  return {key, limits};
}

TEST(VerifiedCache, knows_what_it_was_told_and_nothing_else) {
  VerifiedCache cache = make_cache();
  cache.remember({"alice", "hash", "secret"}, start);
  EXPECT_TRUE(cache.is_verified({"alice", "hash", "secret"}, start));
  const VerifiedClaim wrong[] = {
      {"alice", "hash", "Secret"},
      {"alice", "hash", ""},
      {"alice", "other", "secret"},
      {"bob", "hash", "secret"},
      {"alice", "", "hashsecret"},
      {"", "alicehash", "secret"},
  };
  for (const VerifiedClaim& claim : wrong) {
    SCOPED_TRACE(claim.password);
    EXPECT_FALSE(cache.is_verified(claim, start));
  }
  EXPECT_TRUE(cache.is_verified({"alice", "hash", "secret"}, start));
}

TEST(VerifiedCache, forgets_after_its_lifetime_even_when_used) {
  VerifiedCache cache = make_cache({10, std::chrono::minutes(5)});
  cache.remember({"alice", "hash", "secret"}, start);
  EXPECT_TRUE(cache.is_verified({"alice", "hash", "secret"},
                                start + std::chrono::minutes(5) - std::chrono::nanoseconds(1)));
  EXPECT_FALSE(cache.is_verified({"alice", "hash", "secret"}, start + std::chrono::minutes(5)));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(VerifiedCache, drops_the_longest_unused_when_full) {
  VerifiedCache cache = make_cache({2, std::chrono::minutes(5)});
  cache.remember({"a", "h", "p"}, start);
  cache.remember({"b", "h", "p"}, start);
  EXPECT_TRUE(cache.is_verified({"a", "h", "p"}, start));
  cache.remember({"c", "h", "p"}, start);
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_TRUE(cache.is_verified({"a", "h", "p"}, start));
  EXPECT_FALSE(cache.is_verified({"b", "h", "p"}, start));
  EXPECT_TRUE(cache.is_verified({"c", "h", "p"}, start));
}

TEST(VerifiedCache, keeps_one_entry_a_user_the_newest) {
  VerifiedCache cache = make_cache();
  cache.remember({"alice", "old", "p1"}, start);
  cache.remember({"alice", "new", "p2"}, start);
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_FALSE(cache.is_verified({"alice", "old", "p1"}, start));
  EXPECT_TRUE(cache.is_verified({"alice", "new", "p2"}, start));
  cache.clear();
  EXPECT_FALSE(cache.is_verified({"alice", "new", "p2"}, start));
}

TEST(VerifiedCache, can_be_turned_off) {
  for (const VerifiedCacheLimits limits : {VerifiedCacheLimits{0, std::chrono::minutes(5)},
                                           VerifiedCacheLimits{10, Duration::zero()}}) {
    VerifiedCache cache = make_cache(limits);
    cache.remember({"alice", "hash", "secret"}, start);
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_FALSE(cache.is_verified({"alice", "hash", "secret"}, start));
  }
}

}  // namespace
}  // namespace tapal::account
