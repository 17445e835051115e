// The TXT record at selector._domainkey.domain (RFC 6376 section 3.6.1, RFC 8463 section 4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "values/crypto/key.h"

namespace tapal::mailauth {

struct DkimKeyRecord {
  std::string key_type = "rsa";       // k=: "rsa" or "ed25519" are what public_key() knows
  std::string key;                    // p=, bytes; empty: revoked
  std::vector<std::string> hashes;    // h=; empty: all
  std::vector<std::string> services;  // s=; empty: all
  std::string notes;                  // n=, quoted-printable as published
  bool testing = false;               // t=y
  bool strict_identity = false;       // t=s: i= must be of d= itself, not of a subdomain

  bool operator==(const DkimKeyRecord&) const = default;

  // The strings of one TXT record joined. Code::invalid: no tag list, v= not first or not DKIM1,
  // no p=, p= not base64. Unknown tags are ignored.
  static Result<DkimKeyRecord> parse(std::string_view text);
  // Code::invalid for EC keys: DKIM has none.
  static Result<DkimKeyRecord> for_key(const crypto::PrivateKey& key);

  bool revoked() const { return key.empty(); }
  bool allows_hash(std::string_view name) const;
  bool allows_service(std::string_view name) const;
  Result<crypto::PublicKey> public_key() const;

  // As published: "v=DKIM1; k=rsa; p=...". Longer than 255 bytes for RSA; cutting it into the
  // strings of a TXT record is the caller's.
  std::string text() const;
};

}  // namespace tapal::mailauth
