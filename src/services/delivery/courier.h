// Sends from one loop: takes attempts, keeps warm connections, says what became of each recipient.
// Belongs to its loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/queue_id.h"
#include "base/task.h"
#include "ports/body.h"
#include "ports/clock.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/random.h"
#include "ports/resolver.h"
#include "ports/stream.h"
#include "protocols/smtp/client_session.h"
#include "rules/queue/message_life.h"
#include "services/delivery/connection_pool.h"
#include "services/delivery/destination.h"
#include "services/delivery/options.h"

namespace tapal::delivery {

// One transaction to be tried: recipients that go the same way.
struct Attempt {
  QueueId id;
  std::string destination;             // destination_key()
  std::vector<std::uint32_t> indexes;  // of the recipients in queue::Message::recipients
  mail::Envelope envelope;             // with just these recipients
  BodyPtr body;
};

struct AttemptReport {
  std::vector<queue::Attempted> recipients;  // one for each of Attempt::indexes
  std::string tls;                           // "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty: in clear
  bool peer_has_dsn = false;     // it tells the sender of success itself (RFC 3461 section 5.2.2)
  bool maybe_delivered = false;  // the connection was lost after the final dot (RFC 1047)
};

// References must outlive the courier.
struct CourierWorld {
  Loop& loop;
  Network& network;
  Resolver& resolver;
  Random& random;
  Log& log;
  TlsClient& tls;
  const Options& options;
  const smtp::ClientTimeouts& timeouts;
  const OwnNames& own;
};

class Courier {
 public:
  explicit Courier(CourierWorld world);
  ~Courier();

  Loop& loop() const { return world_.loop; }
  // On the loop's thread. Recipients not tried for want of room in the transaction are reported as
  // deferred.
  Task<AttemptReport> deliver(Attempt attempt);
  // Closes idle connections and cuts busy ones, whose attempts then end as deferred.
  void stop();
  Task<void> join();  // after stop(): every goodbye is said

 private:
  struct Errand;
  Task<void> try_hosts(Errand& errand);
  Task<void> try_host(Host host, Errand& errand);
  Terms terms_for(const Host& host, const Errand& errand) const;
  Task<std::unique_ptr<Connection>> open(Host host, Terms terms, Errand& errand);
  Task<void> use(std::unique_ptr<Connection> connection, Errand& errand);

  CourierWorld world_;
  ConnectionPool pool_;
};

}  // namespace tapal::delivery
