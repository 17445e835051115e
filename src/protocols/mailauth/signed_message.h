// What the checks of one message's signatures share, be they DKIM's or ARC's: its header, the
// hashes of its body, its signers' keys. Header in, names to look up out; then body and replies go
// in, in any order:
//   SignedMessage message(header);
//   DkimVerifier dkim(message);
//   ArcVerifier arc(message);
//   ... message.on_body(), message.next_lookup(), message.on_reply() ...
//   dkim.results(now); arc.result(now);
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mailauth/body_hashes.h"
#include "protocols/mailauth/header_block.h"
#include "protocols/mailauth/key_lookups.h"
#include "values/dns/lookup.h"

namespace tapal::mailauth {

struct SignedMessageLimits {
  std::size_t header_bytes_max = 1024 * 1024;  // larger headers are not checked at all
  std::size_t header_fields_max = 10'000;      // nor are headers of more fields
  std::size_t key_records_max = 4;             // TXT records tried at one name
};

class SignedMessage {
 public:
  // All fields with CRLF line ends; the empty line may follow. Copied.
  explicit SignedMessage(std::string_view header_block, const SignedMessageLimits& limits = {});
  SignedMessage(const SignedMessage&) = delete;
  SignedMessage& operator=(const SignedMessage&) = delete;

  // The form of values/dns/lookup.h. All TXT, in A-labels, each name once.
  std::optional<dns::Lookup> next_lookup() const { return keys_.next_lookup(); }
  void on_reply(dns::LookupReply reply) { keys_.on_reply(std::move(reply)); }
  // The body piece by piece, CRLF line ends. Costs nothing when no signature needs it.
  void on_body(std::string_view chunk) { body_.update(chunk); }

  // For verifiers, which live no longer than this.
  const std::string& why_unchecked() const { return why_unchecked_; }  // over a limit; else empty
  const FieldIndex& fields() const { return index_; }                  // none when unchecked
  BodyHashes& body() { return body_; }
  KeyLookups& keys() { return keys_; }

 private:
  std::string why_unchecked_;
  std::string header_;
  std::vector<RawField> list_;
  FieldIndex index_;
  BodyHashes body_;
  KeyLookups keys_;
};

}  // namespace tapal::mailauth
