#include "protocols/acme/errand.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "values/crypto/json_web_signature.h"
#include "values/text/base64.h"

namespace tapal::acme {

namespace json = boost::json;

std::optional<RevocationReason> revocation_reason_from(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, RevocationReason>, 5> known{{
      {"unspecified", RevocationReason::unspecified},
      {"key-compromise", RevocationReason::key_compromise},
      {"affiliation-changed", RevocationReason::affiliation_changed},
      {"superseded", RevocationReason::superseded},
      {"cessation", RevocationReason::cessation},
  }};
  const auto* found = std::ranges::find(known, text, [](const auto& one) { return one.first; });
  if (found == known.end()) return {};
  return found->second;
}

Errand::Errand(std::string directory_url, AccountOfKey account, Wish wish)
    : directory_url_(std::move(directory_url)),
      account_(std::move(account)),
      wish_(std::move(wish)) {}

Errand::Action Errand::next_action() {
  if (const auto* failed = std::get_if<OrderSession::Failed>(&outcome_)) return *failed;
  if (std::holds_alternative<Done>(outcome_)) return Done{};
  if (step_ == Step::directory) return OrderSession::Send{"GET", directory_url_, {}, {}};
  if (step_ == Step::nonce) return OrderSession::Send{"HEAD", directory_.new_nonce, {}, {}};
  auto wanted = request();
  if (wanted) return *std::move(wanted);
  return OrderSession::Failed{local_problem(wanted.error().what)};
}

Result<OrderSession::Send> Errand::request() {
  const bool is_revocation = std::holds_alternative<Revocation>(wish_);
  const auto& url = is_revocation ? directory_.revoke_certificate : directory_.key_change;
  if (url.empty())
    return fail(Code::invalid,
                is_revocation ? "the authority revokes no certificates"
                              : "the authority lets no account change its key");
  if (directory_url_.starts_with("https:") && !url.starts_with("https:"))
    return fail(Code::invalid, "the authority leads to an address that is not https");
  TAPAL_TRY(const auto content, payload(url));
  const SignedRequest signing{account_.key, account_.url, std::exchange(nonce_, {}), url};
  TAPAL_TRY(auto body, sign_request(signing, content));
  return OrderSession::Send{
      "POST", url, {{"Content-Type", "application/jose+json"}}, std::move(body)};
}

Result<std::string> Errand::payload(std::string_view url) const {
  if (const auto* revocation = std::get_if<Revocation>(&wish_))
    return json::serialize(
        json::object{{"certificate", text::to_base64_url(revocation->certificate)},
                     {"reason", std::to_underlying(revocation->reason)}});
  // The new key signs that it takes the account over, the old one signs all of that.
  const auto& change = std::get<KeyChange>(wish_);
  TAPAL_TRY(const auto old_key, crypto::json_web_key(account_.key));
  TAPAL_TRY(const auto new_key, crypto::json_web_key(change.new_key));
  const json::object header{{"alg", "ES256"}, {"jwk", json::parse(new_key)}, {"url", url}};
  const json::object content{{"account", account_.url}, {"oldKey", json::parse(old_key)}};
  return crypto::sign_json_es256(change.new_key, json::serialize(header), json::serialize(content));
}

void Errand::take_directory(const std::string& body) {
  auto directory = read_directory(body);
  if (directory) {
    directory_ = *std::move(directory);
    step_ = Step::nonce;
  } else {
    outcome_ = OrderSession::Failed{local_problem(directory.error().what)};
  }
}

void Errand::on_response(const http::Response& response, WallTime now) {
  const bool is_good = response.status >= 200 && response.status < 300;
  const auto nonce = response.header("Replay-Nonce");
  if (is_good && step_ == Step::directory) return take_directory(response.body);
  if (is_good && step_ == Step::nonce) {
    nonce_ = nonce;
    step_ = Step::request;
    if (nonce_.empty())
      outcome_ = OrderSession::Failed{local_problem("the authority gives no Replay-Nonce")};
    return;
  }
  if (is_good) {
    outcome_ = Done{};
    return;
  }
  auto problem = read_problem(response, now);
  if (problem.type == "alreadyRevoked") {
    outcome_ = Done{};
  } else if (problem.type == "badNonce" && ++tries_ < tries_max) {
    step_ = Step::nonce;
  } else {
    outcome_ = OrderSession::Failed{std::move(problem)};
  }
}

}  // namespace tapal::acme
