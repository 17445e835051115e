// Delivery status notifications: the whole message that tells a sender what became of mail
// (RFC 3461, RFC 3464, RFC 6522, RFC 6533, RFC 3834).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "values/mail/address.h"
#include "values/mail/envelope.h"

namespace tapal::mail {

enum class Action : std::uint8_t { failed, delayed, delivered, relayed, expanded };

struct RecipientReport {
  Address recipient;
  std::string original;  // ORCPT as in mail::Recipient, "rfc822;user@example.com"; or empty
  Action action = Action::failed;
  std::string status;      // "5.1.1"
  std::string remote_mta;  // name of the host that gave `reply`; or empty
  std::string reply;       // the peer's reply, "550 5.1.1 no such user"; or empty
  std::string reason;      // where no peer replied: what happened, one sentence; or empty
  std::optional<WallTime> last_attempt;
  std::optional<WallTime> will_retry_until;  // of a delay
};

struct DeliveryReport {
  std::string host;  // ours: Reporting-MTA and the domain of MAILER-DAEMON
  Address to;        // the return path of the original
  WallTime now{};
  std::string message_id;           // of the report, with angle brackets
  std::string boundary;             // not to occur in the original: random
  std::string envelope_id;          // ENVID; or empty
  std::optional<WallTime> arrived;  // the original
  std::string original_subject;     // for the human part; or empty
  std::string original_message_id;  // for References; or empty
  std::vector<RecipientReport> recipients;
  // What is returned of the original: all of it, or the header section. Chosen by the caller, since
  // it knows RET and size; where `original` cannot travel whole (binary, lines over 998 bytes,
  // 8-bit header fields without SMTPUTF8), the header section is returned instead.
  ReturnContent returned = ReturnContent::headers;
  std::string_view original;  // whole message or header section, to match
  bool original_smtputf8 = false;
};

// A message ready for the queue, and what its envelope must say. The return path is null.
struct ReportMessage {
  std::string text;
  BodyType body = BodyType::seven_bit;
  bool smtputf8 = false;
  std::string subject;
};

ReportMessage compose(const DeliveryReport& report);

}  // namespace tapal::mail
