#include "protocols/acme/resources.h"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "protocols/acme/answer_object.h"
#include "values/http/url.h"
#include "values/text/ascii.h"
#include "values/text/json_fields.h"

namespace tapal::acme {

namespace json = boost::json;

namespace {

constexpr std::size_t challenges_max = 20;
constexpr std::size_t profiles_max = 20;

Status status_of(const json::object& object) {
  constexpr std::array<std::pair<std::string_view, Status>, 5> known{{
      {"pending", Status::pending},
      {"ready", Status::ready},
      {"processing", Status::processing},
      {"valid", Status::valid},
      {"invalid", Status::invalid},
  }};
  const auto text = text::text_at(object, "status");
  const auto* found = std::ranges::find(known, text, [](const auto& one) { return one.first; });
  return found == known.end() ? Status::other : found->second;
}

// Never a unix socket of this machine.
bool is_web_address(std::string_view url) {
  const auto parsed = http::parse_url(url);
  return parsed && parsed->scheme != http::Url::Scheme::http_unix;
}

Result<std::string> address_at(const json::object& object, std::string_view key) {
  auto url = text::text_at(object, key);
  if (!is_web_address(url))
    return fail(Code::invalid, fmt::format("the authority's \"{}\" is no web address", key));
  return url;
}

std::optional<Problem> error_of(const json::object& object) {
  const auto* error = text::object_at(object, "error");
  if (error == nullptr) return {};
  return problem_of(*error);
}

std::optional<Challenge> challenge_of(const json::object& object) {
  const auto kind = challenge_kind_from_text(text::text_at(object, "type"));
  Challenge challenge;
  challenge.url = text::text_at(object, "url");
  challenge.token = text::text_at(object, "token");
  if (!kind || !is_web_address(challenge.url)) return {};
  if (*kind != ChallengeKind::dns_persist_01 && !is_token(challenge.token)) return {};
  challenge.kind = *kind;
  challenge.status = status_of(object);
  challenge.error = error_of(object);
  challenge.issuer_names = text::texts_at(object, "issuer-domain-names");
  return challenge;
}

}  // namespace

Result<Directory> read_directory(std::string_view body) {
  TAPAL_TRY(const auto object, answer_object(body));
  Directory directory;
  TAPAL_TRY(directory.new_nonce, address_at(object, "newNonce"));
  TAPAL_TRY(directory.new_account, address_at(object, "newAccount"));
  TAPAL_TRY(directory.new_order, address_at(object, "newOrder"));
  for (auto [key, into] : {std::pair("revokeCert", &directory.revoke_certificate),
                           std::pair("keyChange", &directory.key_change)}) {
    if (object.contains(key)) {
      TAPAL_TRY(*into, address_at(object, key));
    }
  }
  if (object.contains("renewalInfo")) {
    TAPAL_TRY(directory.renewal_info, address_at(object, "renewalInfo"));
  }
  const auto* meta = text::object_at(object, "meta");
  if (meta == nullptr) return directory;
  directory.terms_of_service = text::printable(text::text_at(*meta, "termsOfService"));
  directory.issuer_names = text::texts_at(*meta, "caaIdentities");
  directory.external_account_required =
      text::flag_at(*meta, "externalAccountRequired").value_or(false);
  if (const auto* profiles = text::object_at(*meta, "profiles"))
    for (const auto& [name, about] : *profiles)
      if (const auto* text = about.if_string(); directory.profiles.size() < profiles_max)
        directory.profiles.emplace(text::printable(name, 64), text != nullptr ? *text : "");
  return directory;
}

std::vector<std::string> alternate_addresses(const http::Response& response) {
  constexpr std::size_t addresses_max = 10;
  std::vector<std::string> addresses;
  for (const auto& [name, value] : response.headers) {
    if (!text::equals_ignoring_case(name, "Link") || addresses.size() == addresses_max) continue;
    const auto end = value.find('>');
    if (!value.starts_with('<') || end == value.npos) continue;
    const auto url = value.substr(1, end - 1);
    const auto relation = text::to_lower(value.substr(end + 1));
    if (relation.contains("rel=\"alternate\"") && is_web_address(url)) addresses.push_back(url);
  }
  return addresses;
}

Result<Order> read_order(std::string_view body) {
  TAPAL_TRY(const auto object, answer_object(body));
  Order order;
  order.status = status_of(object);
  order.authorizations = text::texts_at(object, "authorizations");
  if (order.authorizations.empty() || order.authorizations.size() > names_max)
    return fail(Code::invalid,
                fmt::format("an order with {} authorizations", order.authorizations.size()));
  if (!std::ranges::all_of(order.authorizations, is_web_address))
    return fail(Code::invalid, "an authorization that is no web address");
  TAPAL_TRY(order.finalize, address_at(object, "finalize"));
  if (object.contains("certificate")) {
    TAPAL_TRY(order.certificate, address_at(object, "certificate"));
  }
  order.error = error_of(object);
  return order;
}

Result<Authorization> read_authorization(std::string_view body) {
  TAPAL_TRY(const auto object, answer_object(body));
  Authorization authorization;
  authorization.status = status_of(object);
  authorization.is_wildcard = text::flag_at(object, "wildcard").value_or(false);
  const auto* identifier = text::object_at(object, "identifier");
  if (identifier != nullptr)
    authorization.name = text::to_lower(text::text_at(*identifier, "value"));
  const auto* challenges = text::array_at(object, "challenges");
  if (authorization.name.empty() || challenges == nullptr)
    return fail(Code::invalid, "an authorization without a name or challenges");
  for (const auto& one : *challenges) {
    const auto* challenge = one.if_object();
    if (challenge == nullptr || authorization.challenges.size() == challenges_max) continue;
    if (auto known = challenge_of(*challenge))
      authorization.challenges.push_back(*std::move(known));
  }
  return authorization;
}

}  // namespace tapal::acme
