// A queued message: its envelope, where it came from, and for each recipient how delivery stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/queue_id.h"
#include "base/result.h"
#include "base/time.h"
#include "values/mail/envelope.h"

namespace tapal::queue {

enum class State : std::uint8_t {
  waiting,    // for its next attempt
  held,       // until someone releases it
  delivered,  // by a 2xx, or into a mailbox
  failed,     // for good; the sender is told unless nobody is to be
};

// The last word on a recipient, as the log and `tapal why` show it.
struct Outcome {
  std::string status;  // enhanced code: "4.7.1"; ours where the peer gave none
  std::string text;    // the peer's reply, or what went wrong on our side
  std::string remote;  // "mx.example.com [2001:db8::1]:25"; empty when no peer was reached
  bool operator==(const Outcome&) const = default;
};

struct RecipientState {
  mail::Recipient recipient;
  State state = State::waiting;
  std::uint32_t attempts = 0;
  WallTime next_attempt{};
  std::optional<WallTime> last_attempt;
  Outcome last;
  bool sender_told = false;  // the failure or success notice, where one is due, is committed
  bool sender_told_of_delay = false;
  bool operator==(const RecipientState&) const = default;
};

// How the message got in. Never holds a submitting client's address past the log.
struct Origin {
  enum class Kind : std::uint8_t {
    submitted,
    received,
    relayed,
    notice,
    forwarded,  // received, and passed on by an alias
  };
  Kind kind = Kind::submitted;
  std::string user;            // authenticated user, or empty
  bool authenticated = false;  // by password or by network: a notice may be sent back
  bool operator==(const Origin&) const = default;
};

// What goes first when not everything can go at once. The others have their turn too, but less
// often.
enum class Priority : std::uint8_t {
  interactive,  // somebody waits for it
  normal,
  bulk,  // to many, and nobody minds an hour
};

struct Message {
  QueueId id;
  WallTime arrived{};
  Origin origin;
  Priority priority = Priority::normal;
  // Recipients of the envelope are in `recipients`; envelope.recipients stays empty.
  mail::Envelope envelope;
  std::vector<RecipientState> recipients;
  std::uint64_t body_bytes = 0;
  std::string subject;     // for people: `tapal queue list`; cut to 200 bytes
  std::string message_id;  // of the header, with its angle brackets
  bool operator==(const Message&) const = default;
};

// The stored and shown form is JSON, so that a spool can be read without us. A newer version's
// record is refused, never guessed at.
std::string to_json(const Message& message);
Result<Message> message_from_json(std::string_view json);

}  // namespace tapal::queue
