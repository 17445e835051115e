// What a certificate authority tells about itself, orders and authorizations (RFC 8555
// section 7.1).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/acme/challenge.h"
#include "protocols/acme/problem.h"
#include "values/http/message.h"

namespace tapal::acme {

// Every read_ function: Code::invalid for what is no such object, and for addresses that are not
// https (or http, which only a directory at http may use).

struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string revoke_certificate;  // this and the next two: empty where it has none
  std::string key_change;
  std::string renewal_info;  // RFC 9773
  std::string terms_of_service;
  std::vector<std::string> issuer_names;  // caaIdentities
  bool external_account_required = false;
  std::map<std::string, std::string> profiles;  // name and what it is
};
Result<Directory> read_directory(std::string_view body);

// Where other chains for a certificate are (RFC 8555 section 7.4.2), 10 at most.
std::vector<std::string> alternate_addresses(const http::Response& response);

enum class Status : std::uint8_t { pending, ready, processing, valid, invalid, other };

struct Order {
  Status status = Status::other;
  std::vector<std::string> authorizations;  // 1 to names_max
  std::string finalize;
  std::string certificate;  // once it is valid
  std::optional<Problem> error;
};
Result<Order> read_order(std::string_view body);

struct Challenge {
  ChallengeKind kind = ChallengeKind::http_01;
  std::string url;
  std::string token;
  Status status = Status::other;
  std::optional<Problem> error;
  std::vector<std::string> issuer_names;  // of dns-persist-01
};

struct Authorization {
  Status status = Status::other;
  std::string name;  // without "*."
  bool is_wildcard = false;
  std::vector<Challenge> challenges;  // of kinds known here
};
Result<Authorization> read_authorization(std::string_view body);

inline constexpr std::size_t names_max = 100;

}  // namespace tapal::acme
