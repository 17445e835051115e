// One attempt at delivery, and what became of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/queue_id.h"
#include "ports/body.h"
#include "rules/queue/gate.h"
#include "rules/queue/message_life.h"
#include "values/mail/envelope.h"

namespace tapal::delivery {

// Recipients of one message that go the same way, tried together.
struct Attempt {
  QueueId id;
  std::string destination;  // Carriers::place_of()
  std::string site;         // Job::site
  std::string peers;        // what shares connections: one set of hosts
  std::uint32_t slot = 0;   // Job::slot: no more than one connection of the site each
  queue::Permit permit;
  std::vector<std::uint32_t> indexes;  // of the recipients in queue::Message::recipients
  mail::Envelope envelope;             // with just these recipients
  BodyPtr body;
  std::function<void()>
      before_end;          // called on any thread when its end, the final dot, is to be sent
  bool forwarded = false;  // passed on by an alias: leaves from its own source
};

// How far an attempt got with its site, the best of all hosts tried.
enum class Contact : std::uint8_t {
  none,               // none was needed
  no_answer,          // no host could be reached, or it hung, or spoke no SMTP
  put_off,            // 4xx to the session or the sender
  recipient_put_off,  // 4xx to a recipient or the message
  served,             // a recipient was taken, or refused for good
};

struct AttemptReport {
  std::vector<queue::Attempted> recipients;  // one for each of Attempt::indexes
  std::string tls;                           // "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty: in clear
  bool peer_has_dsn = false;     // it tells the sender of success itself (RFC 3461 section 5.2.2)
  bool maybe_delivered = false;  // the connection was lost after the final dot (RFC 1047)
  Contact contact = Contact::none;
  bool connected_anew = false;
};

}  // namespace tapal::delivery
