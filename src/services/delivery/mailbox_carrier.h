// Mail into our users' mailboxes, and into the Maildir folders of handovers.
#pragma once

#include "ports/loop.h"
#include "ports/mailbox.h"
#include "services/delivery/carrier.h"

namespace tapal::delivery {

class MailboxCarrier final : public Carrier {
 public:
  MailboxCarrier(Loop& loop, Mailbox& mailbox) : loop_(loop), mailbox_(mailbox) {}
  Task<AttemptReport> carry(Attempt attempt) override;

 private:
  Loop& loop_;
  Mailbox& mailbox_;
};

}  // namespace tapal::delivery
