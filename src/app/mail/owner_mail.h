// Mail from the server to the owner of one of its domains: to postmaster, wherever that leads.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/clock.h"
#include "ports/mail_queue.h"
#include "ports/random.h"
#include "ports/store.h"
#include "values/mail/envelope.h"

namespace tapal::app {

struct OwnerMailWorld {
  Loop& loop;
  Clock& clock;
  Random& random;
  Store& store;
  MailQueue& queue;
  // The DKIM-Signature fields of a message from this domain; empty when there is no key.
  std::function<std::string(std::string_view domain, std::string_view message)> sign;
  // Who gets mail to an address of ours in the end.
  std::function<std::vector<mail::Recipient>(const mail::Recipient& to)> place;
};

// Kept in the spool when it comes back. `subject` and `text` are UTF-8. Sent with a null return
// path: when it cannot be delivered, nobody is told. Code::not_found: postmaster leads nowhere.
Task<Result<void>> mail_to_owner(OwnerMailWorld& world,
                                 std::string domain,
                                 std::string subject,
                                 std::string text);

}  // namespace tapal::app
