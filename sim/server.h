// One life of a server: the product's own sessions, dispatcher and courier on simulated ports, from
// its start to a clean stop or to the moment its power goes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ports/test_fakes.h"
#include "ports/test_handover.h"
#include "services/delivery/dispatcher.h"
#include "services/intake/smtp_session.h"
#include "sim/log_store.h"
#include "sim/receiver.h"
#include "sim/witness.h"

namespace tapal::sim {

// The calendar of the machine, which jumps; waiting is measured by the loop, which does not.
class WallClock final : public Clock {
 public:
  explicit WallClock(const VirtualLoop& loop) : loop_(loop) {}
  Instant now() const override { return loop_.now(); }
  WallTime wall_now() const override {
    return stopped_at ? *stopped_at : loop_.wall_now() + offset;
  }
  // The latest it has ever shown.
  WallTime latest() {
    latest_ = std::max(latest_, wall_now());
    return latest_;
  }
  std::chrono::milliseconds offset{0};
  std::optional<WallTime> stopped_at;

 private:
  const VirtualLoop& loop_;
  WallTime latest_{};
};

struct ServerOptions {
  delivery::Options delivery;
  intake::Options intake;
  queue::SchedulerLimits scheduler;
  shaping::ShaperOptions shaping;
  ConnectionLimits connections;
  smtp::ClientTimeouts timeouts;
  std::string host_name = "mx.own.example";
};

// What is there before a server starts and after it ends. References must outlive the server.
struct Surroundings {
  VirtualLoop& loop;
  WallClock& clock;
  Chronicle& chronicle;
  Ledger& ledger;
  Witness& witness;
  Disk& disk;
  const ServerOptions& options;
  std::map<std::string, std::unique_ptr<Receiver>>& receivers;  // by host name
  NetworkWeather& network;
  std::uint64_t& dns_fails_one_in;      // 0: never
  std::uint64_t& mailbox_fails_one_in;  // 0: never
  Fault fault = Fault::none;
};

class Server {
 public:
  Server(Surroundings around, Dice dice);
  ~Server();

  // Opens the spool and begins to work. False: it cannot, try again later.
  bool start(Witness::Since since);
  // A client comes. False: connection refused.
  bool begin(intake::Door door, std::unique_ptr<WireStream> stream);
  // A clean stop: everybody has `grace` to finish. Ends when nothing of the server is left.
  Task<void> stop(std::chrono::seconds grace);
  // From now on nothing it does has any effect. What is left of it is to be stopped as above.
  void cut_power();
  bool has_power() const { return power_->is_on(); }
  bool is_working() const { return working_; }
  bool has_started() const { return sessions_.has_value(); }

  void order(queue::Order::Kind order, QueueId id);
  const delivery::Dispatcher& dispatcher() const { return *dispatcher_; }
  delivery::Dispatcher& dispatcher() { return *dispatcher_; }
  const LogStore& store() const { return *store_; }
  std::size_t sessions() const { return sessions_->count(); }
  std::size_t connections_counted() const { return connections_.count(); }

 private:
  class Outside;
  class Names;
  class Mailboxes;
  class Events;
  class Queue;
  bool open_store(Witness::Since since);
  void start_delivery();
  void start_intake();
  Task<void> carry_out(queue::Order::Kind order, QueueId id);

  Surroundings around_;
  Dice dice_;
  std::shared_ptr<Power> power_ = std::make_shared<Power>();
  bool working_ = false;
  std::unique_ptr<LogStore> store_;
  std::unique_ptr<WitnessedStore> watched_;
  std::unique_ptr<Outside> outside_;
  std::unique_ptr<Names> names_;
  std::unique_ptr<Mailboxes> mailboxes_;
  std::unique_ptr<Events> events_;
  MemoryRecords records_;
  intake::ReturnPaths return_paths_{records_};
  InlineWorkers workers_;
  std::optional<intake::Authenticator> authenticator_;
  ConnectionCount connections_;
  Snapshot<intake::Domains> domains_;
  delivery::OwnNames own_;
  std::unique_ptr<TlsServer> tls_server_;
  std::unique_ptr<TlsClient> tls_client_;
  std::optional<delivery::SourceTable> sources_;
  std::optional<delivery::Courier> courier_;
  FakePrograms programs_;
  FakeHttpClient http_;
  shaping::ProviderTable providers_ = shaping::read_providers({}, {}).value();
  std::optional<shaping::Shaper> shaper_;
  std::optional<delivery::Sites> sites_;
  std::optional<delivery::Carriers> carriers_;
  std::optional<delivery::Dispatcher> dispatcher_;
  std::unique_ptr<Queue> queue_;
  std::optional<intake::Sessions> sessions_;
  TaskGroup tasks_;
  std::vector<BodyPtr> leaked_;  // with Fault::body_leak
};

}  // namespace tapal::sim
