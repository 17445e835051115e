// Sends from one loop: takes attempts, keeps warm connections, says what became of each recipient.
// Belongs to its loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "ports/clock.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/random.h"
#include "ports/resolver.h"
#include "ports/stream.h"
#include "protocols/smtp/client_session.h"
#include "services/delivery/attempt.h"
#include "services/delivery/connection_pool.h"
#include "services/delivery/destination.h"
#include "services/delivery/options.h"
#include "services/delivery/source_table.h"

namespace tapal::delivery {

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
  const SourceTable& sources;
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
  Task<void> try_hosts(Errand& errand, std::optional<ConnectionPool::Idle> idle);
  Task<void> try_host(Host host, Errand& errand);
  Terms terms_for(const Host& host, const Errand& errand) const;
  Task<Result<std::unique_ptr<Stream>>> connect(Host host, const Exit& exit);
  Task<std::unique_ptr<Connection>> open(Host host, Terms terms, Errand& errand);
  Task<void> use(std::unique_ptr<Connection> connection, Errand& errand);

  CourierWorld world_;
  ConnectionPool pool_;
};

}  // namespace tapal::delivery
