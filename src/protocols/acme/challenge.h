// How we prove to an authority that a name is ours, and what has to be shown where.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "values/crypto/hash.h"

namespace tapal::acme {

enum class ChallengeKind : std::uint8_t {
  http_01,         // RFC 8555 section 8.3: a file on port 80
  tls_alpn_01,     // RFC 8737: a certificate on port 443
  dns_01,          // RFC 8555 section 8.4: a TXT record, a new one each time
  dns_persist_01,  // draft-ietf-acme-dns-persist: a TXT record that stays
};

inline constexpr std::array<std::string_view, 4> challenge_kind_texts{
    "http-01", "tls-alpn-01", "dns-01", "dns-persist-01"};
std::string_view challenge_kind_text(ChallengeKind kind);
std::optional<ChallengeKind> challenge_kind_from_text(std::string_view text);

// What is to be in place before the authority is told to look.
struct Proof {
  ChallengeKind kind = ChallengeKind::http_01;
  std::string name;               // without "*."
  bool is_wildcard = false;       // it is for "*.<name>"
  std::string token;              // safe in a path; empty for dns-persist-01
  std::string key_authorization;  // what http-01 shows; the others show its hash
  std::string record_value;       // of the TXT record; empty for http-01 and tls-alpn-01

  std::string record_name() const;  // of the TXT record: "_acme-challenge.example.org"
  crypto::Digest hash() const;      // what a tls-alpn-01 certificate holds
};

// RFC 8555 section 8.1. `token` must be one (is_token).
std::string key_authorization(std::string_view token, std::string_view thumbprint);
// 22 to 512 characters of base64url (RFC 8555 section 8.3 wants 128 bits of entropy).
bool is_token(std::string_view text);
// The record that allows the account to get certificates for the name until it is taken away.
std::string persistent_record(std::string_view issuer,
                              std::string_view account_url,
                              bool is_wildcard);
// Whether a TXT value there is such a record, whatever its order, its case and more parameters.
bool is_persistent_record(std::string_view value, std::string_view wanted);

}  // namespace tapal::acme
