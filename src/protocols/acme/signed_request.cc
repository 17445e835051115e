#include "protocols/acme/signed_request.h"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "values/crypto/hash.h"
#include "values/crypto/json_web_signature.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::acme {

namespace json = boost::json;

Result<std::string> sign_request(const SignedRequest& request, std::string_view payload) {
  json::object header{{"alg", "ES256"}, {"nonce", request.nonce}, {"url", request.url}};
  if (request.account_url.empty()) {
    TAPAL_TRY(const auto key, crypto::json_web_key(request.key));
    header["jwk"] = json::parse(key);
  } else {
    header["kid"] = request.account_url;
  }
  return crypto::sign_json_es256(request.key, json::serialize(header), payload);
}

Result<std::string> bind_external_account(const crypto::PrivateKey& key,
                                          const ExternalAccount& external,
                                          std::string_view new_account_url) {
  TAPAL_TRY(const auto payload, crypto::json_web_key(key));
  const json::object header{{"alg", "HS256"}, {"kid", external.id}, {"url", new_account_url}};
  return crypto::sign_json_hs256(external.key, json::serialize(header), payload);
}

Result<Challenge> choose_challenge(const Authorization& authorization,
                                   const std::vector<ChallengeKind>& kinds) {
  for (const auto kind : kinds) {
    const auto found = std::ranges::find(authorization.challenges, kind, &Challenge::kind);
    if (found != authorization.challenges.end()) return *found;
  }
  std::vector<std::string_view> offered;
  offered.reserve(authorization.challenges.size());
  for (const auto& challenge : authorization.challenges)
    offered.push_back(challenge_kind_text(challenge.kind));
  std::vector<std::string_view> possible;
  possible.reserve(kinds.size());
  for (const auto kind : kinds) possible.push_back(challenge_kind_text(kind));
  return fail(
      Code::invalid,
      fmt::format(
          "for {}{} the authority offers {}, and here is possible: {}{}",
          authorization.is_wildcard ? "*." : "",
          text::printable(authorization.name, 300),
          fmt::join(offered, ", "),
          possible.empty() ? "nothing" : fmt::format("{}", fmt::join(possible, ", ")),
          authorization.is_wildcard
              ? "; a wildcard takes dns-01, which needs a DNS account (the settings of [dns])"
              : ""));
}

Result<Proof> make_proof(const Authorization& authorization,
                         const Challenge& challenge,
                         const AccountOfKey& account) {
  Proof proof{challenge.kind, authorization.name, authorization.is_wildcard, {}, {}, {}};
  if (challenge.kind == ChallengeKind::dns_persist_01) {
    if (challenge.issuer_names.empty())
      return fail(Code::invalid, "a dns-persist-01 challenge without an issuer's name");
    proof.record_value =
        persistent_record(challenge.issuer_names.front(), account.url, authorization.is_wildcard);
    return proof;
  }
  TAPAL_TRY(const auto key, crypto::json_web_key(account.key));
  proof.token = challenge.token;
  proof.key_authorization =
      key_authorization(challenge.token, crypto::json_web_key_thumbprint(key));
  if (challenge.kind == ChallengeKind::dns_01)
    proof.record_value = text::to_base64_url(crypto::bytes_of(proof.hash()));
  return proof;
}

}  // namespace tapal::acme
