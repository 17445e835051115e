#include "services/intake/authenticator.h"

#include <array>
#include <span>
#include <utility>

#include "values/crypto/hash.h"

namespace tapal::intake {
namespace {

account::VerifiedCache::Key random_key(Random& random) {
  account::VerifiedCache::Key key{};
  random.fill(key);
  return key;
}

}  // namespace

Authenticator::Authenticator(Workers& workers,
                             Clock& clock,
                             Random& random,
                             account::VerifiedCacheLimits limits,
                             crypto::PasswordCost cost)
    : workers_(workers),
      clock_(clock),
      unknown_user_secret_(random.bytes(32)),
      unknown_user_hash_(crypto::hash_password(random.bytes(32), cost).value_or("")),
      cache_(random_key(random), limits) {}

Task<sasl::PasswordVerdict> Authenticator::check_password(Loop& loop,
                                                          const account::Directory& directory,
                                                          std::string login,
                                                          std::string password) {
  const auto* user = directory.find_login(login);
  const std::string hash = user == nullptr ? unknown_user_hash_ : user->password_hash;
  const account::VerifiedClaim claim{login, hash, password};
  auto verdict = sasl::PasswordVerdict::wrong;
  if (user != nullptr && is_remembered(claim)) {
    verdict = sasl::PasswordVerdict::right;
  } else {
    auto verify = [this, &claim, user] { return verify_slowly(claim, user != nullptr); };
    const auto verified = co_await run_on(workers_, loop, std::move(verify));
    if (!verified)
      verdict = sasl::PasswordVerdict::unavailable;
    else if (*verified)
      verdict = sasl::PasswordVerdict::right;
  }
  crypto::wipe(password);
  co_return verdict;
}

// On a worker. An application opens many connections at once: all but the first find it remembered
// by the time it is their turn.
bool Authenticator::verify_slowly(const account::VerifiedClaim& claim, bool user_exists) {
  if (user_exists && is_remembered(claim)) return true;
  const bool right =
      crypto::verify_password(std::string(claim.password_hash), claim.password) && user_exists;
  if (right) remember(claim);
  return right;
}

bool Authenticator::is_remembered(const account::VerifiedClaim& claim) {
  const std::scoped_lock lock(mutex_);
  return cache_.is_verified(claim, clock_.now());
}

void Authenticator::remember(const account::VerifiedClaim& claim) {
  const std::scoped_lock lock(mutex_);
  cache_.remember(claim, clock_.now());
}

}  // namespace tapal::intake
