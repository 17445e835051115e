// Checks the DKIM signatures of a message (RFC 6376 section 6, RFC 8301, RFC 8463, RFC 8616).
// Header, body and keys come by the SignedMessage.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "protocols/mailauth/dkim_signature.h"
#include "protocols/mailauth/signed_message.h"

namespace tapal::mailauth {

// The words of RFC 8601 section 2.7.1.
//   none       no signature
//   pass       good, and it covers the whole body
//   fail       body or header differ from what was signed, or the signature has expired
//   policy     not judged: our own limits (too many signatures, signed in the future)
//   neutral    good as far as it goes, but l= leaves text of the body uncovered: RFC 6376 section
//              8.2 lets anybody add to such a message, so it proves nothing
//   temperror  the key could not be looked up now
//   permerror  malformed, forbidden (rsa-sha1, RSA under 1024 bits), no key, key revoked
enum class DkimVerdict : std::uint8_t { none, pass, fail, policy, neutral, temperror, permerror };

std::string_view dkim_verdict_text(DkimVerdict verdict);

struct DkimLimits {
  std::size_t signatures_max = 10;       // the topmost ones
  std::chrono::seconds future_max{300};  // how far t= may be ahead of our clock
};

struct DkimResult {
  DkimVerdict verdict = DkimVerdict::permerror;
  std::string reason;     // for a person; empty for a plain pass
  std::string domain;     // d=; these four may be empty or as written when the field is malformed
  std::string selector;   // s=
  std::string algorithm;  // a=
  std::string identity;   // i=
  int key_bits = 0;       // 0: key unknown
  std::vector<std::string> signed_fields;
  bool body_length_limited = false;  // l= covers only part of the body
  bool key_testing = false;          // the key record says t=y
};

// none without results, pass if any passed, else the first one's.
DkimVerdict overall_verdict(std::span<const DkimResult> results);

class DkimVerifier {
 public:
  // Tells `message`, which must outlive this, what its signatures need.
  explicit DkimVerifier(SignedMessage& message, DkimLimits limits = {});

  // Once, after the whole body. In header order; a key nobody answered for is a temperror.
  std::vector<DkimResult> results(WallTime now);

 private:
  // One signature on its way to a result.
  struct Candidate {
    DkimResult result;
    std::optional<DkimSignature> signature;  // nothing: the result stands already
    crypto::Digest header_digest{};
    std::size_t key = 0;
  };

  Candidate read(const RawField& field);
  void judge(Candidate& candidate, WallTime now);

  SignedMessage* message_;
  DkimLimits limits_;
  std::vector<Candidate> candidates_;
};

// What one look at a signature found.
struct DkimFinding {
  DkimVerdict verdict = DkimVerdict::pass;
  std::string reason;  // empty for a pass
};

// fail: not the bytes that were signed; neutral: l= leaves text uncovered; permerror: l= is too
// long.
DkimFinding compare_body(const DkimSignature& signature, const BodyHashes& hashes);
// fail: expired; policy: signed more than `future_max` ahead of `now`.
DkimFinding compare_time(const DkimSignature& signature,
                         WallTime now,
                         std::chrono::seconds future_max);

}  // namespace tapal::mailauth
