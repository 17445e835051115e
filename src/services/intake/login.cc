#include "services/intake/login.h"

#include <array>
#include <utility>

#include "values/text/base64.h"

namespace tapal::intake {
namespace {

using Verdict = PasswordAnswer::Verdict;

using sasl::Mechanism;

constexpr std::array offered{
    Mechanism::scram_sha_256_plus, Mechanism::scram_sha_256, Mechanism::plain, Mechanism::login};

constexpr std::string_view guessed =
    "too many wrong passwords for this account or from your network, try again later";

sasl::Failure later(std::string user, std::string_view why) {
  return {sasl::Failure::Reason::unavailable, std::string(why), std::move(user)};
}

std::string binding(const Stream& stream, ChannelBinding type) {
  return stream.channel_binding(type).value_or("");
}

}  // namespace

std::vector<std::string> login_mechanisms() {
  std::vector<std::string> names;
  names.reserve(offered.size());
  for (const auto mechanism : offered) names.emplace_back(sasl::name_of(mechanism));
  return names;
}

smtp::Reply reply_to(const sasl::Failure& failure) {
  using Reason = sasl::Failure::Reason;
  switch (failure.reason) {
    case Reason::denied: break;
    case Reason::malformed: return smtp::make_reply(501, "5.5.2", failure.text);
    case Reason::unavailable: return smtp::make_reply(454, "4.7.0", failure.text);
  }
  return smtp::make_reply(
      535, "5.7.8", "wrong user name or password; the user name is the whole address");
}

void Login::on_tls(const Stream& stream) {
  bindings_ = {binding(stream, ChannelBinding::tls_exporter),
               binding(stream, ChannelBinding::tls_server_end_point)};
}

sasl::ServerStep Login::start(std::string_view mechanism,
                              std::optional<std::string> initial_response) {
  const auto known = sasl::mechanism_from_name(mechanism);
  if (!known) return sasl::Failure{sasl::Failure::Reason::malformed, "unknown mechanism", {}};
  sasl::ServerExchangeOptions options;
  options.nonce = text::to_base64(random_.bytes(sasl::nonce_bytes_min));
  options.unknown_user_secret = authenticator_.unknown_user_secret();
  options.bindings = bindings_;
  options.plus_offered = true;
  prover_.clear();
  exchange_.emplace(*known, std::move(options));
  return exchange_->start(std::move(initial_response));
}

sasl::ServerStep Login::respond(std::string_view response) {
  if (!exchange_)
    return sasl::Failure{sasl::Failure::Reason::malformed, "no exchange under way", {}};
  // Many exchanges may have been begun before the limit was reached.
  if (!prover_.empty() && authenticator_.refuses({prover_, peer_})) return later(prover_, guessed);
  return exchange_->on_response(response);
}

Task<sasl::ServerStep> Login::check_password(const Domains& domains, sasl::CheckPassword check) {
  account::Guess guess{check.user, peer_};
  auto answer = co_await authenticator_.check_password(
      loop_, domains.directory, std::move(guess), std::move(check.password));
  credential_ = std::move(answer.credential);
  co_await hold_back(answer.hold_back);
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): a step of it is being followed
  auto& exchange = *exchange_;
  switch (answer.verdict) {
    case Verdict::right: co_return exchange.on_password(sasl::PasswordVerdict::right);
    case Verdict::wrong: co_return exchange.on_password(sasl::PasswordVerdict::wrong);
    case Verdict::too_many_guesses: co_return later(check.user, guessed);
    case Verdict::busy: break;
  }
  co_return later(check.user, "passwords cannot be checked now, try again later");
}

sasl::ServerStep Login::find_keys(const Domains& domains, const sasl::FindScramKeys& find) {
  if (authenticator_.refuses({find.user, peer_})) return later(find.user, guessed);
  prover_ = find.user;
  const auto* user = domains.directory.find_login(find.user);
  if (user != nullptr) credential_ = user->password_hash;  // changed together with the keys
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): a step of it is being followed
  return exchange_->on_scram_keys(user == nullptr ? std::nullopt : user->scram);
}

Task<sasl::ServerStep> Login::follow(const Domains& domains, sasl::ServerStep step) {
  for (;;) {
    if (auto* check = std::get_if<sasl::CheckPassword>(&step))
      step = co_await check_password(domains, std::move(*check));
    else if (auto* find = std::get_if<sasl::FindScramKeys>(&step))
      step = find_keys(domains, *find);
    else
      break;
  }
  if (std::holds_alternative<sasl::Challenge>(step)) co_return step;
  exchange_.reset();
  const account::Guess proved{std::exchange(prover_, {}), peer_};
  if (auto* success = std::get_if<sasl::Success>(&step)) {
    if (!proved.login.empty()) authenticator_.on_right(proved);
    if (const auto* user = domains.directory.find_login(success->user))
      success->user = user->address.text();
    user_ = success->user;
  } else if (const auto* failure = std::get_if<sasl::Failure>(&step)) {
    if (!proved.login.empty() && failure->reason == sasl::Failure::Reason::denied)
      co_await hold_back(authenticator_.on_wrong(proved));
  }
  co_return step;
}

Task<void> Login::hold_back(Duration time) {
  if (time <= Duration::zero()) co_return;
  const auto timer = loop_.make_timer();
  co_await timer->wait_until(loop_.now() + time);
}

bool Login::still_counts(const Domains& domains) const {
  if (user_.empty()) return true;
  const auto* user = domains.directory.find_login(user_);
  return user != nullptr && authenticator_.still_holds(*user, credential_);
}

}  // namespace tapal::intake
