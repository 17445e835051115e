// Checks passwords and finds SCRAM keys, on worker threads, with a short memory for what was right.
// Shared by all loops; safe from any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/task.h"
#include "ports/clock.h"
#include "ports/loop.h"
#include "ports/random.h"
#include "ports/workers.h"
#include "protocols/sasl/server_exchange.h"
#include "rules/account/directory.h"
#include "rules/account/verified_cache.h"
#include "values/crypto/password.h"

namespace tapal::intake {

class Authenticator {
 public:
  // References must outlive the authenticator. `cost` is that of our users' hashes: an unknown user
  // is made to cost as much.
  Authenticator(Workers& workers,
                Clock& clock,
                Random& random,
                account::VerifiedCacheLimits limits,
                crypto::PasswordCost cost);

  // Takes as long for an unknown user as for a wrong password. Comes back to `loop`. `directory`
  // must outlive the task.
  Task<sasl::PasswordVerdict> check_password(Loop& loop,
                                             const account::Directory& directory,
                                             std::string login,
                                             std::string password);

  // For ServerExchangeOptions: made once a start, the same for all sessions.
  const std::string& unknown_user_secret() const { return unknown_user_secret_; }

 private:
  bool verify_slowly(const account::VerifiedClaim& claim, bool user_exists);
  bool is_remembered(const account::VerifiedClaim& claim);
  void remember(const account::VerifiedClaim& claim);

  Workers& workers_;
  Clock& clock_;
  std::string unknown_user_secret_;
  std::string unknown_user_hash_;
  std::mutex mutex_;  // guards cache_
  account::VerifiedCache cache_;
};

}  // namespace tapal::intake
