// What an attempt came to for a recipient, in the queue's terms: the peer's replies and our own
// troubles put to rules/bounce.
#pragma once

#include <string>

#include "base/result.h"
#include "protocols/smtp/client_session.h"
#include "rules/queue/message_life.h"
#include "services/delivery/connection.h"
#include "services/delivery/destination.h"

namespace tapal::delivery {

struct Verdict {
  queue::Attempted::Result result = queue::Attempted::Result::deferred;
  queue::Outcome outcome;
};

Verdict verdict_of(const NoHost& none);
Verdict verdict_of(const Error& connect_error, const Host& host);
// `remote` as Connection::text().
Verdict verdict_of(const smtp::client::SessionFailed& failed, const std::string& remote);
Verdict verdict_of(const smtp::client::RecipientResult& result, const Connection& connection);
Verdict verdict_of_mailbox(const Result<void>& put);

}  // namespace tapal::delivery
