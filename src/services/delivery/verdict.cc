#include "services/delivery/verdict.h"

#include <utility>

#include <fmt/format.h>

#include "rules/bounce/classify.h"

namespace tapal::delivery {

namespace client = smtp::client;

namespace {

using bounce::Failure;
using queue::Attempted;

Attempted::Result result_of(bounce::Verdict verdict) {
  switch (verdict) {
    case bounce::Verdict::accepted: return Attempted::Result::delivered;
    case bounce::Verdict::permanent: return Attempted::Result::failed;
    case bounce::Verdict::temporary: break;
  }
  return Attempted::Result::deferred;
}

Verdict judge(const bounce::Judgement& judgement, std::string text, std::string remote) {
  return {result_of(judgement.verdict), {judgement.status, std::move(text), std::move(remote)}};
}

bounce::Phase phase_of(client::Phase phase) {
  switch (phase) {
    case client::Phase::greeting: return bounce::Phase::greeting;
    case client::Phase::hello: return bounce::Phase::hello;
    case client::Phase::tls: return bounce::Phase::start_tls;
    case client::Phase::auth: return bounce::Phase::auth;
    case client::Phase::rcpt: return bounce::Phase::recipient;
    case client::Phase::data:
    case client::Phase::body: return bounce::Phase::data;
    case client::Phase::final: return bounce::Phase::end;
    case client::Phase::idle:
    case client::Phase::checks:
    case client::Phase::mail:
    case client::Phase::quit: break;
  }
  return bounce::Phase::mail;
}

Failure failure_of(client::SessionFailed::Kind kind) {
  using Kind = client::SessionFailed::Kind;
  switch (kind) {
    case Kind::greeting_refused:
    case Kind::protocol: return Failure::unreadable_reply;
    case Kind::tls_refused: return Failure::tls_not_offered;
    case Kind::tls_failed: return Failure::tls_failed;
    case Kind::auth_failed: return Failure::auth_not_offered;
    case Kind::body_failed: return Failure::local_mailbox;
    case Kind::timed_out: return Failure::timed_out;
    case Kind::shutting_down:
    case Kind::lost: break;
  }
  return Failure::connection_lost;
}

}  // namespace

Verdict verdict_of(const NoHost& none) {
  const bool permanent = none.status.starts_with('5');
  return {permanent ? Attempted::Result::failed : Attempted::Result::deferred,
          {none.status, none.text, {}}};
}

Verdict verdict_of(const Error& connect_error, const Host& host) {
  return judge(bounce::classify(Failure::unreachable),
               connect_error.what,
               fmt::format("{} {}", host.name, host.endpoint.text()));
}

Verdict verdict_of(const client::SessionFailed& failed, const std::string& remote) {
  if (failed.reply)
    return judge(bounce::classify(phase_of(failed.phase), *failed.reply),
                 smtp::one_line(*failed.reply),
                 remote);
  return judge(bounce::classify(failure_of(failed.kind)), failed.what, remote);
}

Verdict verdict_of(const client::RecipientResult& result, const Connection& connection) {
  if (result.outcome == client::Outcome::lost || result.outcome == client::Outcome::not_tried)
    return judge(bounce::classify(Failure::connection_lost), result.what, connection.text());
  return judge(bounce::classify(phase_of(result.phase), result.reply),
               smtp::one_line(result.reply),
               connection.text());
}

Verdict verdict_of_mailbox(const Result<void>& put) {
  if (put) return {Attempted::Result::delivered, {"2.0.0", "put into the mailbox", {}}};
  const auto failure =
      put.error().code == Code::full ? Failure::local_disk_full : Failure::local_mailbox;
  return judge(bounce::classify(failure), put.error().what, {});
}

}  // namespace tapal::delivery
