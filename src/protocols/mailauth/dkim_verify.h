// Checks the DKIM signatures of a message (RFC 6376 section 6, RFC 8301, RFC 8463, RFC 8616).
// A core: the header goes in, names to look up come out; then body and keys go in, in any order,
// and results come out.
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
#include "protocols/mailauth/dkim_key_record.h"
#include "protocols/mailauth/dkim_signature.h"

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
  std::size_t signatures_max = 10;             // the topmost ones
  std::size_t header_bytes_max = 1024 * 1024;  // larger headers are not checked at all
  std::size_t header_fields_max = 10'000;      // nor are headers of more fields
  std::size_t key_records_max = 4;             // TXT records tried at one name
  std::chrono::seconds future_max{300};        // how far t= may be ahead of our clock
};

struct DkimKeyAnswer {
  enum class Status : std::uint8_t { found, no_such_name, temporary_failure };
  Status status = Status::found;
  std::vector<std::string> texts;  // each TXT record, its strings joined
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
  // `header_block` is borrowed for this call only: all fields with CRLF line ends; the empty line
  // may follow.
  explicit DkimVerifier(std::string_view header_block, DkimLimits limits = {});
  DkimVerifier(DkimVerifier&&) noexcept;
  DkimVerifier& operator=(DkimVerifier&&) noexcept;
  ~DkimVerifier();

  // TXT names to look up, each once, in A-label form. Empty: results() needs nothing more.
  const std::vector<std::string>& questions() const;
  // The body piece by piece, CRLF line ends. Costs nothing when no signature needs it.
  void on_body(std::string_view chunk);
  void on_key(std::size_t question, DkimKeyAnswer answer);

  // Once, after the whole body. In header order; a question without an answer is a temperror.
  std::vector<DkimResult> results(WallTime now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tapal::mailauth
