// What an attempt came to for a recipient, in the queue's terms: the peer's replies and our own
// troubles put to rules/bounce.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "ports/http_client.h"
#include "ports/programs.h"
#include "protocols/smtp/client_session.h"
#include "rules/queue/message_life.h"
#include "services/delivery/connection.h"
#include "services/delivery/destination.h"

namespace tapal::delivery {

struct Verdict {
  queue::Attempted::Result result = queue::Attempted::Result::deferred;
  queue::Outcome outcome;
};

inline queue::Attempted attempted(std::uint32_t recipient, Verdict verdict) {
  return {recipient, verdict.result, std::move(verdict.outcome)};
}

Verdict verdict_of(const NoHost& none);
Verdict verdict_of(const Error& connect_error, const Host& host);
// `remote` as Connection::text().
Verdict verdict_of(const smtp::client::SessionFailed& failed, const std::string& remote);
Verdict verdict_of(const smtp::client::RecipientResult& result, const Connection& connection);
Verdict verdict_of_mailbox(const Result<void>& put);
Verdict verdict_of_handover(const Error& unusable);
// The outcome's text is the last line the program said, on standard error before standard output.
Verdict verdict_of_program(const Result<ProgramEnd>& end);
Verdict verdict_of_response(const Result<http::Response>& response);
// It went through here for the same recipient before.
Verdict verdict_of_loop(const mail::Address& address);

}  // namespace tapal::delivery
