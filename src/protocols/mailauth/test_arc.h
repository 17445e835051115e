// ARC sets for tests, as a signer makes them or as one would who breaks a rule.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mailauth/arc_seal.h"
#include "protocols/mailauth/arc_seal_digest.h"
#include "protocols/mailauth/arc_verify.h"
#include "protocols/mailauth/signed_header.h"
#include "protocols/mailauth/test_key_zone.h"
#include "values/crypto/test_keys.h"
#include "values/text/base64.h"

namespace tapal::mailauth::test_arc {

inline constexpr WallTime now{std::chrono::seconds(1'800'000'000)};
inline const std::string header =
    "Received: by x\r\nFrom: a@sender.example\r\nSubject:  hello \r\nTo: b@x.example\r\n";
inline const std::string body = "Hello  there \r\n\r\nEnd\r\n\r\n";

inline const crypto::PrivateKey& rsa_key() {
  static const auto key = crypto::PrivateKey::from_pem(crypto::test_keys::rsa_1024);
  return *key;
}

inline std::shared_ptr<const crypto::PrivateKey> key_of(const char* pem) {
  return std::make_shared<const crypto::PrivateKey>(crypto::PrivateKey::from_pem(pem).value());
}

// Hop number n is signed by hop<n>.example.
inline DkimSigner signer(int hop) {
  static const auto key = key_of(crypto::test_keys::ed25519);
  return {"hop" + std::to_string(hop) + ".example", "s", key};
}

// The keys of hops 1 to 50, and of the odd sets below.
inline const KeyZone& zone() {
  static const KeyZone made = [] {
    KeyZone zone;
    for (int hop = 1; hop <= arc_sets_max; ++hop) {
      zone.add("s._domainkey.hop" + std::to_string(hop) + ".example",
               DkimKeyRecord::for_key(*signer(hop).key)->text());
    }
    zone.add("rsa._domainkey.a.example", DkimKeyRecord::for_key(rsa_key())->text());
    return zone;
  }();
  return made;
}

inline crypto::Digest body_hash(std::string_view text) {
  DkimBodyHasher hasher;
  hasher.update(text);
  return hasher.finish();
}

inline Result<std::string> seal(int hop,
                                const std::string& header_block,
                                ArcStatus chain,
                                std::string_view text = body) {
  return arc_seal(signer(hop),
                  header_block,
                  body_hash(text),
                  {.chain = chain,
                   .results = "hop" + std::to_string(hop) + ".example; spf=pass",
                   .signed_fields = {},
                   .now = now});
}

// A good chain in front of the header.
inline std::string chain_of(int hops) {
  std::string made = header;
  for (int hop = 1; hop <= hops; ++hop) {
    made.insert(0, seal(hop, made, hop == 1 ? ArcStatus::none : ArcStatus::pass).value());
  }
  return made;
}

inline ArcResult verify(const std::string& header_block,
                        std::string_view text = body,
                        const KeyZone& keys = zone(),
                        WallTime time = now) {
  SignedMessage message(header_block);
  const ArcVerifier verifier(message);
  keys.answer(message);
  message.on_body(text);
  return verifier.result(time);
}

// One set with i=1 whose tags say anything; %h stands for the hash of the body, %b for the
// signature.
struct OddSet {
  std::string results = "i=1; a.example; spf=pass";
  std::string message =
      "i=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=rsa; t=1800000000; h=From:Subject; "
      "bh=%h; b=%b";
  std::string seal = "i=1; a=rsa-sha256; cv=none; d=a.example; s=rsa; t=1800000000; b=%b";
  std::size_t body_length = std::string::npos;  // of the canonical body
};

inline std::string put(std::string text, std::string_view what, std::string_view value) {
  const auto at = text.find(what);
  return at == std::string::npos ? text : text.replace(at, what.size(), value);
}

inline RawField raw(const std::string& field) {
  return {std::string_view(field).substr(0, field.find(':')), field};
}

// The set in front of the header. The signatures are good for what the tags say, in relaxed form.
inline std::string with_odd_set(const OddSet& odd) {
  const std::string canonical = "Hello there\r\n\r\nEnd\r\n";
  const auto hash = crypto::sha256(canonical.substr(0, odd.body_length));
  const std::string results = "ARC-Authentication-Results: " + odd.results;
  std::string message = "ARC-Message-Signature: " + odd.message;
  message = put(std::move(message), "%h", text::to_base64(crypto::bytes_of(hash)));
  std::string covered;
  for (const std::string_view field :
       {"From: a@sender.example\r\n", "Subject:  hello \r\n", "To: b@x.example\r\n"}) {
    if (!message.contains(std::string(field.substr(0, field.find(':'))))) continue;
    append_canonical_field(covered, field.substr(0, field.size() - 2), Canonicalization::relaxed);
    covered += "\r\n";
  }
  append_canonical_field(covered, put(message, "%b", ""), Canonicalization::relaxed);
  message =
      put(std::move(message), "%b", text::to_base64(*rsa_key().sign(crypto::sha256(covered))));
  std::string seal = "ARC-Seal: " + odd.seal;
  const std::string unsigned_seal = put(seal, "%b", "");
  const auto digest = ArcSealDigest().add(raw(results), raw(message), raw(unsigned_seal));
  seal = put(std::move(seal), "%b", text::to_base64(*rsa_key().sign(digest)));
  return seal + "\r\n" + message + "\r\n" + results + "\r\n" + header;
}

}  // namespace tapal::mailauth::test_arc
