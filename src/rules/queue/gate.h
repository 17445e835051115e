// Leave to send: asked by the scheduler for each attempt, answered by whoever keeps the limits by
// site, egress source, sender and user (rules/shaping). Belongs to the scheduler's thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/queue_id.h"
#include "base/time.h"
#include "rules/queue/message.h"

namespace tapal::queue {

// Whose mail it is: what shares limits and takes turns with others.
struct Sender {
  std::string user;        // who submitted it; empty: nobody logged in
  std::string domain;      // of the return path; empty: the null return path
  bool forwarded = false;  // passed on by an alias
  bool operator==(const Sender&) const = default;
};

Sender sender_of(const Message& message);

// Whether an attempt may be put off.
enum class Urgency : std::uint8_t {
  usual,
  last,  // its time in the queue is over: this attempt decides, whatever holds its site back
};

struct Permit {
  std::string source;                       // the egress source to send from; empty: the usual one
  std::size_t recipients_max = 0;           // of the transaction; 0: as the scheduler has it
  std::size_t messages_per_connection = 0;  // 0: as the courier has it
  bool is_settled = false;                  // the gate was told what became of the attempt
  bool operator==(const Permit&) const = default;
};

struct Obstacle {
  enum class Reason : std::uint8_t {
    site_connections,  // the site takes no more at once
    site_rate,         // messages or connections in a time
    site_suspended,    // it is down, or said that it wants to be left alone
    source_unusable,   // no egress source can be used
    source_suspended,  // the site refuses each source for a time
    warm_up,           // the day's ceiling of sources that are new to this provider
    sender_rate,       // of the return path's domain
    sender_suspended,  // a site said to leave this sender alone
    user_rate,         // of who submitted it
    user_connections,
  };
  enum class Scope : std::uint8_t { site, sender };

  Reason reason = Reason::site_connections;
  Scope scope = Scope::site;  // who is to wait: all mail to the site, or this sender's
  // Nothing: until an attempt at the site ends.
  std::optional<WallTime> until;
  std::string text;  // for people; only look() fills it
  bool operator==(const Obstacle&) const = default;
};

// One attempt that wants to go.
struct Crossing {
  std::string_view site;
  const Sender& sender;
  QueueId message;
  Urgency urgency = Urgency::usual;
  WallTime now{};
};

class Gate {
 public:
  virtual ~Gate() = default;

  // A place for one attempt, to be given back by leave(). With Urgency::last it is refused for want
  // of connections alone.
  virtual std::expected<Permit, Obstacle> enter(const Crossing& crossing) = 0;
  virtual void leave(std::string_view site, const Sender& sender, const Permit& permit) = 0;
  // Why enter() would refuse, in words. Nothing: it would not.
  virtual std::optional<Obstacle> look(const Crossing& crossing) const = 0;
};

}  // namespace tapal::queue
