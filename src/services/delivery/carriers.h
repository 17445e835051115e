// The ways out of the queue, and which of them a recipient's mail takes: decided here and nowhere
// else. Belongs to the dispatcher's loop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ports/clock.h"
#include "rules/queue/scheduler.h"
#include "services/delivery/mailbox_carrier.h"
#include "services/delivery/network_carrier.h"
#include "services/delivery/options.h"
#include "services/delivery/program_carrier.h"
#include "services/delivery/sites.h"
#include "services/delivery/web_carrier.h"

namespace tapal::delivery {

// References must outlive the carriers.
struct CarriersWorld {
  Loop& loop;  // the dispatcher's
  Clock& clock;
  std::vector<Courier*> couriers;  // one for each loop, at least one
  Mailbox& mailbox;
  Programs& programs;
  HttpClient& http;
  const Options& options;
  Sites& sites;
  // Whether an address is one of our users', whose mail goes into a mailbox. Safe from any thread.
  std::function<bool(const mail::Address&)> is_local;
};

class Carriers final : public Carrier {
 public:
  explicit Carriers(CarriersWorld world);

  // The keys under which mail shares attempts, connections and limits; people read them too. Mail
  // that an alias passes on has its own: what it does to a receiver's patience is its own affair.
  // The site is empty while DNS was not asked for it.
  queue::Place place_of(const mail::Recipient& recipient, queue::Origin::Kind origin) const;
  // Asks. Nothing: DNS does not answer now.
  Task<std::optional<std::string>> find_site(std::string domain, queue::Origin::Kind origin);

  // Of one destination. A recipient of ours that the message went to before has failed as a loop.
  Task<AttemptReport> carry(Attempt attempt) override;
  Task<void> stop() override;

 private:
  Carrier& carrier_for(const Attempt& attempt);

  CarriersWorld world_;
  NetworkCarrier network_;
  MailboxCarrier mailboxes_;
  ProgramCarrier programs_;
  WebCarrier web_;
};

}  // namespace tapal::delivery
