// One mail transaction of a session: from MAIL to the message in the spool.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "protocols/smtp/server_session.h"
#include "services/intake/admission.h"
#include "services/intake/incoming_message.h"
#include "services/intake/memory_budget.h"

namespace tapal::intake {

struct SessionWorld;

class Transaction {
 public:
  // `world` must outlive it. `anonymous` is the client as long as nobody has logged in.
  Transaction(SessionWorld& world, MemoryBudget& memory, Client anonymous, Endpoint peer);

  // Each gives the refusal, if there is one. begin() drops what was under way. `user` has logged
  // in, or is empty.
  Refusal begin(const smtp::AskSender& sender, const std::string& helo, const std::string& user);
  Refusal add(const mail::Recipient& recipient);
  Refusal on_bytes(std::string_view bytes);
  void abandon();
  // The reply to the end of the message: 250 once it is on stable storage and in the queue.
  Task<smtp::Reply> store(mail::Envelope envelope, Arrival arrival);

 private:
  IncomingMessage& message();
  Task<smtp::Reply> commit(mail::Envelope envelope, Arrival arrival);
  void tell_accepted(const queue::Message& message, const Arrival& arrival) const;
  void tell_refused(std::string_view what, const smtp::Reply& reply) const;
  Refusal no_room(std::uint64_t bytes) const;
  bool fits_memory();

  SessionWorld& world_;
  MemoryBudget& memory_;
  MemoryBudget::Share held_;
  Client anonymous_;
  Sender sender_;
  std::shared_ptr<const Domains> domains_;  // one version for the whole transaction
  std::string from_;                        // for the log
  std::vector<Placed> recipients_;
  std::uint64_t recipient_bytes_ = 0;  // in memory, about
  std::unique_ptr<IncomingMessage> message_;
  bool refused_ = false;  // the rest of the body is only read over
};

}  // namespace tapal::intake
