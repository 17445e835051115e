// The shell around a receiving SMTP session: moves bytes, puts the session's questions to the rules
// and the spool, and tells the log.
#pragma once

#include <cstdint>
#include <memory>

#include "base/connection_count.h"
#include "base/snapshot.h"
#include "base/task.h"
#include "ports/clock.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/mail_queue.h"
#include "ports/random.h"
#include "ports/store.h"
#include "ports/stream.h"
#include "services/intake/authenticator.h"
#include "services/intake/domains.h"
#include "services/intake/inspection.h"
#include "services/intake/mail_observer.h"
#include "services/intake/options.h"
#include "services/intake/return_paths.h"

namespace tapal::intake {

enum class Door : std::uint8_t {
  smtp,         // port 25
  submission,   // port 587: STARTTLS
  submissions,  // port 465: TLS from the first byte
};

// What sessions share; one for each loop. References outlive every session. `tls` may be null or
// not be ready yet: then there is no TLS and nobody can log in.
struct SessionWorld {
  Loop& loop;
  Clock& clock;
  Random& random;
  Log& log;
  Store& store;
  ReturnPaths& return_paths;
  MailQueue& queue;
  Authenticator& authenticator;
  ConnectionCount& connections;
  const Snapshot<Domains>& domains;
  const Options& options;
  TlsServer* tls = nullptr;
  MailObserver* observer = nullptr;             // may be null
  const InspectionWorld* inspection = nullptr;  // null: strangers' mail is taken uninspected
};

// The sessions of one loop. Belongs to that loop.
class Sessions {
 public:
  explicit Sessions(SessionWorld world);
  ~Sessions();

  void begin(Door door, std::unique_ptr<Stream> stream);
  // Asks every session to end at its next boundary, gives them until `deadline`, then cuts them.
  Task<void> stop(Instant deadline);
  std::size_t count() const;

 private:
  class Session;
  struct Memory;
  struct State;
  Task<void> run(std::shared_ptr<Session> session);

  SessionWorld world_;
  std::unique_ptr<State> state_;
};

}  // namespace tapal::intake
