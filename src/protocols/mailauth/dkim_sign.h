// Makes DKIM-Signature fields (RFC 6376 section 5). The body passes once, whatever the number of
// signatures; then each signer signs the header. What is signed, and how, is fixed: see
// dkim_signed_fields().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocols/mailauth/canonical.h"
#include "protocols/mailauth/dkim_signature.h"
#include "protocols/mailauth/header_block.h"
#include "values/crypto/hash.h"
#include "values/crypto/key.h"

namespace tapal::mailauth {

struct DkimSigner {
  std::string domain;                             // A-labels
  std::string selector;                           // A-labels
  std::shared_ptr<const crypto::PrivateKey> key;  // RSA or Ed25519
};

// Code::invalid for an EC key.
Result<DkimAlgorithm> dkim_algorithm_for(const crypto::PrivateKey& key);

struct DkimSignTimes {
  WallTime now;                     // t=
  std::optional<WallTime> expires;  // x=, after now; queue life and two days more, so that no
                                    // retry outlives it
};

// The hash of a relaxed body in pieces: SHA-256 serves both algorithms.
class DkimBodyHasher final : private BodySink {
 public:
  void update(std::string_view chunk) { canonicalizer_.update(chunk, *this); }
  crypto::Digest finish();  // once

 private:
  void write(std::string_view bytes) override { hash_.update(bytes); }
  BodyCanonicalizer canonicalizer_{Canonicalization::relaxed};
  crypto::Sha256 hash_;
};

inline constexpr std::size_t dkim_signed_fields_max = 250;  // h= stays below 8 KiB

// What h= will list: From, Subject, Date, To, Cc, Reply-To, Message-ID, MIME-Version,
// Content-Type, Content-Transfer-Encoding, List-Unsubscribe and List-Unsubscribe-Post once more
// often than they are there, so that none can be added; Sender, In-Reply-To, References, the
// Resent- and List- fields and Feedback-ID as often as they are there.
std::vector<std::string> dkim_signed_fields(const std::vector<RawField>& fields);

// One header field, CRLF included, to put in front of the message. `header_block` is all fields
// with CRLF line ends; the empty line may follow. relaxed/relaxed, no l=, no i=. May be called
// from any thread: the time is spent in the key.
// Code::invalid: no From field, too many fields, an EC key, names that are no domains.
Result<std::string> dkim_sign(const DkimSigner& signer,
                              std::string_view header_block,
                              const crypto::Digest& body_hash,
                              const DkimSignTimes& times);

// The same for a whole message in memory, by each of the signers: their fields, one after another.
Result<std::string> dkim_sign_message(const std::vector<DkimSigner>& signers,
                                      std::string_view message,
                                      const DkimSignTimes& times);

}  // namespace tapal::mailauth
