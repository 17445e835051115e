// Checks passwords on worker threads, within the limits on guessing, with a short memory for what
// was right. Shared by all loops; safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "ports/clock.h"
#include "ports/loop.h"
#include "ports/random.h"
#include "ports/workers.h"
#include "rules/account/directory.h"
#include "rules/account/guess_limits.h"
#include "rules/account/recent_map.h"
#include "rules/account/verified_cache.h"
#include "values/crypto/password.h"

namespace tapal::intake {

// What an attempt to log in came to.
struct PasswordAnswer {
  enum class Verdict : std::uint8_t {
    right,
    wrong,             // the user or the password: never told apart
    too_many_guesses,  // not looked at: GuessLimits
    busy,              // the workers are
  } verdict = Verdict::wrong;
  std::string credential;  // where right: what UserRecord::holds() knows it by
  Duration hold_back{};    // let this pass before the client is told
};

struct AuthenticatorOptions {
  account::VerifiedCacheLimits cache;
  account::GuessOptions guesses;
  crypto::PasswordCost password_cost;  // of new ones; an unknown user is made to cost as much
};

// Keeps a right password in our own form, where another server's hash stands in the accounts: the
// new hash, or nothing where that cannot be. Called on a worker.
using UpgradePassword =
    std::function<std::optional<std::string>(const account::UserRecord&, const std::string&)>;

class Authenticator {
 public:
  // References must outlive the authenticator.
  Authenticator(Workers& workers,
                Clock& clock,
                Random& random,
                const AuthenticatorOptions& options,
                UpgradePassword upgrade = {});

  // Comes back to `loop`. `directory` must outlive the task. An unknown user and a wrong password
  // cost one argon2 each, count alike and are held back alike. An application password is right at
  // once, whatever the limits say: nobody guesses 125 bits.
  Task<PasswordAnswer> check_password(Loop& loop,
                                      const account::Directory& directory,
                                      account::Guess guess,
                                      std::string password);

  // For exchanges that prove the password without telling it (SCRAM).
  bool refuses(const account::Guess& guess);
  void on_right(const account::Guess& guess);
  Duration on_wrong(const account::Guess& guess);  // how long to hold the answer back

  // Whether what a login was checked against still counts: the user has it, or what it was upgraded
  // to.
  bool still_holds(const account::UserRecord& user, const std::string& credential);

  std::vector<account::GuessCount> guess_counts();

  // For ServerExchangeOptions: made once a start, the same for all sessions.
  const std::string& unknown_user_secret() const { return unknown_user_secret_; }

 private:
  struct Question;
  std::optional<PasswordAnswer> answer_at_once(const Question& question);
  PasswordAnswer verify_slowly(const Question& question);
  void upgrade(const Question& question);
  std::uint64_t fingerprint(const account::VerifiedClaim& claim) const;

  Workers& workers_;
  Clock& clock_;
  std::string unknown_user_secret_;
  std::string unknown_user_hash_;
  std::string fingerprint_key_;
  UpgradePassword upgrade_;
  std::mutex mutex_;  // guards what follows
  account::VerifiedCache cache_;
  account::GuessLimits guesses_;
  account::RecentMap<std::string> upgraded_;  // another server's hash -> ours
};

}  // namespace tapal::intake
