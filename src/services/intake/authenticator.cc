#include "services/intake/authenticator.h"

#include <utility>

#include "values/crypto/foreign_password.h"
#include "values/crypto/hash.h"

namespace tapal::intake {
namespace {

using Verdict = PasswordAnswer::Verdict;

constexpr std::size_t upgraded_max = 100'000;  // about 300 bytes each

account::VerifiedCache::Key random_key(Random& random) {
  account::VerifiedCache::Key key{};
  random.fill(key);
  return key;
}

// The application password that this is, or null. For an unknown user as much is done.
const account::AppPassword* app_password_of(const account::UserRecord* user,
                                            std::string_view password) {
  const auto digest = account::app_password_digest(password);
  if (user == nullptr || !digest) return nullptr;
  return account::find_app_password(user->app_passwords, *digest);
}

}  // namespace

// One password to check by argon2.
struct Authenticator::Question {
  const account::Guess& guess;
  account::VerifiedClaim claim;
  const account::UserRecord* user = nullptr;  // null: there is none, and the answer is no
};

Authenticator::Authenticator(Workers& workers,
                             Clock& clock,
                             Random& random,
                             const AuthenticatorOptions& options,
                             UpgradePassword upgrade)
    : workers_(workers),
      clock_(clock),
      unknown_user_secret_(random.bytes(32)),
      unknown_user_hash_(
          crypto::hash_password(random.bytes(32), options.password_cost).value_or("")),
      fingerprint_key_(random.bytes(32)),
      upgrade_(std::move(upgrade)),
      cache_(random_key(random), options.cache),
      guesses_(options.guesses),
      upgraded_(upgraded_max) {}

Task<PasswordAnswer> Authenticator::check_password(Loop& loop,
                                                   const account::Directory& directory,
                                                   account::Guess guess,
                                                   std::string password) {
  const auto* user = directory.find_login(guess.login);
  const std::string hash = user == nullptr ? unknown_user_hash_ : user->password_hash;
  const Question question{guess, {guess.login, hash, password}, user};
  PasswordAnswer answer;
  if (const auto* app = app_password_of(user, password)) {
    on_right(guess);
    answer = {Verdict::right, app->text(), {}};
  } else if (auto known = answer_at_once(question)) {
    answer = *std::move(known);
  } else {
    auto verify = [this, &question] { return verify_slowly(question); };
    auto verified = co_await run_on(workers_, loop, std::move(verify));
    if (verified)
      answer = *std::move(verified);
    else
      answer.verdict = Verdict::busy;
  }
  crypto::wipe(password);
  co_return answer;
}

std::optional<PasswordAnswer> Authenticator::answer_at_once(const Question& question) {
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.now();
  if (question.user != nullptr && cache_.is_verified(question.claim, now)) {
    guesses_.on_right(question.guess, now);
    return PasswordAnswer{Verdict::right, question.user->password_hash, {}};
  }
  if (guesses_.refuses(question.guess, now))
    return PasswordAnswer{Verdict::too_many_guesses, {}, {}};
  return {};
}

// On a worker. What was decided while the question waited holds: an application opens many
// connections at once, and all but the first find their password remembered; a guesser does, too,
// and finds the limit reached.
PasswordAnswer Authenticator::verify_slowly(const Question& question) {
  if (auto known = answer_at_once(question)) return *std::move(known);
  const auto& claim = question.claim;
  const bool right = crypto::verify_password(std::string(claim.password_hash), claim.password) &&
                     question.user != nullptr;
  if (right) upgrade(question);
  const auto seen = fingerprint(claim);
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.now();
  if (!right) return {Verdict::wrong, {}, guesses_.on_wrong(question.guess, seen, now)};
  cache_.remember(claim, now);
  guesses_.on_right(question.guess, now);
  return {Verdict::right, question.user->password_hash, {}};
}

void Authenticator::upgrade(const Question& question) {
  const auto& old_hash = question.user->password_hash;
  if (!upgrade_ || !crypto::is_foreign_hash(old_hash)) return;
  {
    const std::scoped_lock lock(mutex_);
    if (upgraded_.find(old_hash) != nullptr) return;  // the accounts are about to be read again
  }
  auto new_hash = upgrade_(*question.user, std::string(question.claim.password));
  if (!new_hash) return;
  const std::scoped_lock lock(mutex_);
  upgraded_.at(old_hash) = *std::move(new_hash);
}

bool Authenticator::still_holds(const account::UserRecord& user, const std::string& credential) {
  if (user.holds(credential)) return true;
  const std::scoped_lock lock(mutex_);
  const auto* upgraded = upgraded_.find(credential);
  return upgraded != nullptr && user.holds(*upgraded);
}

// Of the name and the password alone: whether there is such a user makes no difference.
std::uint64_t Authenticator::fingerprint(const account::VerifiedClaim& claim) const {
  std::string told(claim.user);
  told += '\0';
  told += claim.password;
  const auto digest = crypto::hmac_sha256(fingerprint_key_, told);
  crypto::wipe(told);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8U | digest.at(i);
  return number | 1U;  // 0 means none
}

bool Authenticator::refuses(const account::Guess& guess) {
  const std::scoped_lock lock(mutex_);
  return guesses_.refuses(guess, clock_.now());
}

void Authenticator::on_right(const account::Guess& guess) {
  const std::scoped_lock lock(mutex_);
  guesses_.on_right(guess, clock_.now());
}

Duration Authenticator::on_wrong(const account::Guess& guess) {
  const std::scoped_lock lock(mutex_);
  return guesses_.on_wrong(guess, 0, clock_.now());
}

std::vector<account::GuessCount> Authenticator::guess_counts() {
  const std::scoped_lock lock(mutex_);
  return guesses_.counts(clock_.now());
}

}  // namespace tapal::intake
