// An authority of certificates for tests: does what RFC 8555 says as far as an order sees it, and
// misbehaves where told to. Every signed request is checked: its nonce, its URL, its key.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "protocols/acme/order_session.h"
#include "values/crypto/certificate.h"
#include "values/text/base64.h"

namespace tapal::acme {

class TestAuthority {
 public:
  struct Seen {
    std::string url;
    boost::json::object header;
    std::string payload;
  };

  TestAuthority(const crypto::PrivateKey& certificate_key, WallTime at)
      : key(&certificate_key), now(at) {}

  const crypto::PrivateKey* key;  // what is certified is for this one, whatever is asked for
  WallTime now;
  std::chrono::hours lifetime = std::chrono::days(90);

  // What the directory has besides its addresses, as members of a JSON object: ",\"meta\":{}".
  std::string more_in_directory;
  // Replaces an answer; gets the address without "https://ca.example" and how often it was asked.
  std::function<std::optional<http::Response>(const std::string& path, int times)> instead;
  int polls_until_valid = 0;  // of each authorization
  int polls_until_issued = 0;
  bool is_refusing = false;  // the proofs
  std::vector<std::string> kinds{"http-01", "dns-01", "tls-alpn-01"};
  std::vector<Seen> seen;
  std::vector<std::string> certified_names;  // empty: those that were ordered

  http::Response answer(const OrderSession::Send& request) {
    constexpr std::string_view host = "https://ca.example";
    const auto path = request.url.substr(host.size());
    if (request.method == "POST" && !check(request))
      return problem(400, "badNonce", "an old nonce");
    auto response = instead ? instead(path, ++times_[path]) : std::nullopt;
    if (!response) response = usual(path);
    response->headers.push_back({"Replay-Nonce", fresh_nonce()});
    return *response;
  }

  static http::Response problem(int status, std::string_view type, std::string_view detail) {
    return {
        status,
        {{"Content-Type", "application/problem+json"}},
        fmt::format(R"({{"type":"urn:ietf:params:acme:error:{}","detail":"{}"}})", type, detail)};
  }

  std::vector<Seen> seen_at(std::string_view path) const {
    std::vector<Seen> found;
    for (const auto& one : seen)
      if (one.url == "https://ca.example" + std::string(path)) found.push_back(one);
    return found;
  }

 private:
  std::string fresh_nonce() {
    const auto nonce = fmt::format("nonce-{}", ++nonces_);
    good_nonces_.insert(nonce);
    return nonce;
  }

  bool check(const OrderSession::Send& request) {
    const auto jws = boost::json::parse(request.body).as_object();
    const auto part = [&jws](const char* name) {
      return text::from_base64_url(std::string(jws.at(name).as_string())).value();
    };
    Seen one{request.url, boost::json::parse(part("protected")).as_object(), part("payload")};
    const std::string nonce(one.header.at("nonce").as_string());
    const bool is_good =
        good_nonces_.erase(nonce) == 1 && one.header.at("url").as_string() == request.url &&
        one.header.contains("jwk") == request.url.ends_with("/new-account") &&
        one.header.contains("kid") != one.header.contains("jwk") && part("signature").size() == 64;
    seen.push_back(std::move(one));
    return is_good;
  }

  http::Response usual(const std::string& path) {
    if (path == "/directory")
      return {200,
              {},
              R"({"newNonce":"https://ca.example/nonce",)"
              R"("newAccount":"https://ca.example/new-account",)"
              R"("newOrder":"https://ca.example/new-order")" +
                  more_in_directory + "}"};
    if (path == "/nonce") return {200, {}, {}};
    if (path == "/new-account") return {201, {{"Location", "https://ca.example/account/1"}}, "{}"};
    if (path == "/new-order") return new_order();
    if (path.starts_with("/authorization/")) return authorization(path.substr(15));
    if (path.starts_with("/challenge/")) {
      answered_.insert(path.substr(11));
      return {200, {}, R"({"type":"http-01","status":"pending"})"};
    }
    if (path == "/order/1") return {200, {}, order()};
    if (path == "/finalize") {
      is_finalized_ = true;
      return {200, {}, order()};
    }
    if (path == "/certificate") return {200, {}, chain()};
    return problem(404, "malformed", "no such place");
  }

  http::Response new_order() {
    names_.clear();
    answered_.clear();
    valid_.clear();
    is_finalized_ = false;
    const auto payload = boost::json::parse(seen.back().payload).as_object();
    for (const auto& one : payload.at("identifiers").as_array())
      names_.emplace_back(one.as_object().at("value").as_string());
    return {201, {{"Location", "https://ca.example/order/1"}}, order()};
  }

  std::string order() {
    std::string authorizations;
    for (std::size_t i = 0; i < names_.size(); ++i)
      authorizations +=
          fmt::format(R"({}"https://ca.example/authorization/{}")", i == 0 ? "" : ",", i);
    const bool is_ready = valid_.size() == names_.size();
    const bool is_issued = is_finalized_ && polls_until_issued-- <= 0;
    const auto* status = is_issued       ? "valid"
                         : is_finalized_ ? "processing"
                         : is_ready      ? "ready"
                                         : "pending";
    return fmt::format(
        R"({{"status":"{}","authorizations":[{}],"finalize":"https://ca.example/finalize"{}}})",
        status,
        authorizations,
        is_issued ? R"(,"certificate":"https://ca.example/certificate")" : "");
  }

  http::Response authorization(const std::string& number) {
    const auto& name = names_.at(std::stoul(number));
    const bool is_wildcard = name.starts_with("*.");
    std::string status = "pending";
    if (answered_.contains(number) && polls_[number]++ >= polls_until_valid)
      status = is_refusing ? "invalid" : "valid";
    if (status == "valid") valid_.insert(number);
    std::string challenges;
    for (const auto& kind : kinds) {
      if (is_wildcard && !kind.starts_with("dns")) continue;
      if (!challenges.empty()) challenges += ',';
      challenges += fmt::format(
          R"({{"type":"{}","url":"https://ca.example/challenge/{}","token":"evaGxfADs6pSRb2LAv9IZ{}","status":"{}"{}}})",
          kind,
          number,
          number,
          status,
          status == "invalid"
              ? R"(,"error":{"type":"urn:ietf:params:acme:error:connection","detail":"refused"})"
              : R"(,"issuer-domain-names":["ca.example"])");
    }
    return {
        200,
        {},
        fmt::format(
            R"({{"status":"{}","identifier":{{"type":"dns","value":"{}"}},"wildcard":{},"challenges":[{}]}})",
            status,
            is_wildcard ? name.substr(2) : name,
            is_wildcard,
            challenges)};
  }

  std::string chain() const {
    const auto& names = certified_names.empty() ? names_ : certified_names;
    const crypto::Validity validity{now - std::chrono::hours(1), now + lifetime};
    return crypto::make_self_signed(names, *key, validity).value();
  }

  std::size_t nonces_ = 0;
  std::set<std::string> good_nonces_;
  std::map<std::string, int> times_;
  std::map<std::string, int> polls_;
  std::vector<std::string> names_;
  std::set<std::string> answered_;
  std::set<std::string> valid_;
  bool is_finalized_ = false;
};

}  // namespace tapal::acme
