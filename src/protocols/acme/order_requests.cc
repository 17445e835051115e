// What an order asks next.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/ip_address.h"
#include "protocols/acme/order_session.h"
#include "protocols/acme/signed_request.h"
#include "values/crypto/certificate_request.h"
#include "values/text/base64.h"

namespace tapal::acme {

namespace json = boost::json;

namespace {

constexpr std::string_view post_as_get;  // RFC 8555 section 6.3
constexpr std::string_view chain_type = "application/pem-certificate-chain";

}  // namespace

OrderSession::Action OrderSession::next_action() {
  if (const auto* issued = std::get_if<Issued>(&outcome_)) return *issued;
  if (const auto* failed = std::get_if<Failed>(&outcome_)) return *failed;
  if (pause_) return Wait{*pause_};
  if (step_ == Step::proofs) return Prepare{proofs_};
  if (++requests_ > limits_.requests_max) {
    fail_with("the authority asks too much of one order");
    return next_action();
  }
  if (step_ == Step::directory) return Send{"GET", wish_.directory_url, {}, {}};
  if (nonce_.empty()) {
    awaits_nonce_ = true;
    return Send{"HEAD", directory_.new_nonce, {}, {}};
  }
  const auto wanted = target();
  auto request = wanted ? post(*wanted) : Result<Send>(std::unexpected(wanted.error()));
  if (request) return *std::move(request);
  fail_with(request.error().what);
  return next_action();
}

Result<OrderSession::Target> OrderSession::target() const {
  switch (step_) {
    case Step::account: {
      TAPAL_TRY(auto payload, account_payload(directory_.new_account));
      return Target{directory_.new_account, std::move(payload)};
    }
    case Step::order: return Target{directory_.new_order, order_payload()};
    case Step::authorizations: return Target{order_.authorizations[at_], std::string(post_as_get)};
    case Step::answers: return Target{open_[at_].challenge_url, "{}"};
    case Step::verdicts: return Target{open_[at_].url, std::string(post_as_get)};
    case Step::readiness:
    case Step::issue: return Target{order_url_, std::string(post_as_get)};
    case Step::finalize: {
      TAPAL_TRY(const auto request,
                crypto::make_certificate_request(wish_.names, certificate_key_));
      return Target{order_.finalize,
                    json::serialize(json::object{{"csr", text::to_base64_url(request)}})};
    }
    case Step::download: return Target{order_.certificate, std::string(post_as_get)};
    case Step::alternates: return Target{alternates_[at_], std::string(post_as_get)};
    case Step::directory:
    case Step::proofs:
    case Step::end: break;
  }
  return fail(Code::internal, "an order with nothing to ask");
}

Result<std::string> OrderSession::account_payload(std::string_view url) const {
  json::object account{{"termsOfServiceAgreed", true}};
  if (!wish_.contact.empty()) account["contact"] = json::array{"mailto:" + wish_.contact};
  auto text = json::serialize(account);
  if (!wish_.external) return text;
  TAPAL_TRY(const auto binding, bind_external_account(account_key_, *wish_.external, url));
  text.pop_back();
  return text + ",\"externalAccountBinding\":" + binding + "}";
}

std::string OrderSession::order_payload() const {
  json::array identifiers;
  for (const auto& name : wish_.names) {
    const auto* type = IpAddress::from_text(name) ? "ip" : "dns";  // RFC 8738
    identifiers.push_back(json::object{{"type", type}, {"value", name}});
  }
  json::object order{{"identifiers", std::move(identifiers)}};
  if (!wish_.profile.empty()) order["profile"] = wish_.profile;
  if (!wish_.replaces.empty()) order["replaces"] = wish_.replaces;
  return json::serialize(order);
}

Result<OrderSession::Send> OrderSession::post(const Target& target) {
  // Nobody is to read along once the directory was fetched over TLS.
  if (wish_.directory_url.starts_with("https:") && !target.url.starts_with("https:"))
    return fail(Code::invalid, "the authority leads to an address that is not https");
  const auto& account = step_ == Step::account ? std::string() : wish_.account_url;
  const SignedRequest request{account_key_, account, std::exchange(nonce_, {}), target.url};
  TAPAL_TRY(auto body, sign_request(request, target.payload));
  std::vector<http::Header> headers{{"Content-Type", "application/jose+json"}};
  if (step_ == Step::download || step_ == Step::alternates)
    headers.push_back({"Accept", std::string(chain_type)});
  return Send{"POST", target.url, std::move(headers), std::move(body)};
}

}  // namespace tapal::acme
