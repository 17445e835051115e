// One mail transaction as a client sees it: what is to be sent, what the peer's extensions allow,
// and what became of each recipient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/smtp/client_extensions.h"
#include "protocols/smtp/reply.h"
#include "values/mail/content.h"
#include "values/mail/envelope.h"

namespace tapal::smtp::client {

// What the message's bytes need from a peer. We never convert a message: that breaks its
// signatures.
struct ContentNeeds {
  bool eight_bit = false;  // any byte above 127
  bool binary = false;     // NUL, a lone CR or LF, or a line over 998 octets: only BDAT carries it
  bool utf8_header = false;  // any header field above 127: needs SMTPUTF8

  bool operator==(const ContentNeeds&) const = default;
};
ContentNeeds needs_of(const mail::ContentFacts& facts);

struct Transaction {
  mail::Envelope envelope;  // with its recipients, at least one
  std::uint64_t body_bytes = 0;
  ContentNeeds needs;
};

// Where the talk stood.
enum class Phase : std::uint8_t {
  greeting,
  hello,
  tls,
  auth,
  idle,    // between transactions
  checks,  // our own, before anything was sent
  mail,
  rcpt,
  data,
  body,
  final,  // the reply to the final dot or the last BDAT
  quit,
};
std::string_view phase_text(Phase phase);  // "at RCPT TO", for people

enum class Outcome : std::uint8_t {
  accepted,   // the peer has taken the message for this recipient
  refused,    // by the peer, or by our checks of what it offers: `reply`
  not_tried,  // the peer takes no more recipients in one transaction, or never got to this one:
              // free to go in another transaction at once
  lost,       // the session ended without a final answer
};

struct RecipientResult {
  std::size_t index = 0;  // in envelope.recipients
  Outcome outcome = Outcome::lost;
  Phase phase = Phase::checks;  // where the outcome was decided
  bool ours = false;            // the reply is our own, the peer did not say it
  Reply reply;                  // empty (code 0) for lost, and for not_tried by our counting
  std::string what;             // for lost and not_tried: why
};

struct PeerFacts {
  const ExtensionSet& extensions;
  bool tls_on = false;
};

// Our own answers when the peer cannot carry the message at all, or to one recipient; nothing when
// it can.
std::optional<Reply> check_message(const Transaction& transaction, const PeerFacts& peer);
std::optional<Reply> check_recipient(const mail::Recipient& recipient, const PeerFacts& peer);

}  // namespace tapal::smtp::client
