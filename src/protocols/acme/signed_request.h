// Requests as an ACME server takes them: JSON Web Signatures by the account's key (RFC 8555
// section 6.2), and what is proven by them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/acme/order_session.h"
#include "values/crypto/key.h"

namespace tapal::acme {

struct SignedRequest {
  const crypto::PrivateKey& key;
  std::string account_url;  // empty: the account is not known yet, the key itself is sent
  std::string nonce;
  std::string url;
};
Result<std::string> sign_request(const SignedRequest& request, std::string_view payload);

// The value of externalAccountBinding (RFC 8555 section 7.3.4).
Result<std::string> bind_external_account(const crypto::PrivateKey& key,
                                          const ExternalAccount& external,
                                          std::string_view new_account_url);

// The first of `kinds` that the authorization offers. The Error says what it does offer.
Result<Challenge> choose_challenge(const Authorization& authorization,
                                   const std::vector<ChallengeKind>& kinds);

struct AccountOfKey {
  const crypto::PrivateKey& key;
  std::string url;
};
Result<Proof> make_proof(const Authorization& authorization,
                         const Challenge& challenge,
                         const AccountOfKey& account);

}  // namespace tapal::acme
