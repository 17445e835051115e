#include "services/delivery/verdict.h"

#include <utility>

#include <fmt/format.h>

#include "rules/bounce/classify.h"
#include "rules/bounce/classify_handover.h"
#include "values/text/ascii.h"

namespace tapal::delivery {

namespace client = smtp::client;

namespace {

using bounce::Failure;
using queue::Attempted;

constexpr std::size_t said_bytes_max = 300;  // of what a program or web server says

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

Failure failure_of_request(Code code) {
  switch (code) {
    case Code::invalid: return Failure::handover_unusable;
    case Code::denied: return Failure::tls_failed;
    case Code::timed_out: return Failure::timed_out;
    case Code::closed: return Failure::connection_lost;
    case Code::full: return Failure::unreadable_reply;
    default: return Failure::unreachable;
  }
}

// The last that is not blank, trimmed.
std::string_view last_line(std::string_view said) {
  said = text::trim(said);
  const auto end_before = said.rfind('\n');
  return end_before == std::string_view::npos ? said : text::trim(said.substr(end_before + 1));
}

}  // namespace

Verdict verdict_of(const NoHost& none) {
  const bool permanent = none.status.starts_with('5');
  return {permanent ? Attempted::Result::failed : Attempted::Result::deferred,
          {none.status, none.text, {}}};
}

Verdict verdict_of(const Error& connect_error, const Host& host) {
  return judge(bounce::classify(Failure::unreachable), connect_error.what, host.text());
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

Verdict verdict_of_handover(const Error& unusable) {
  return judge(bounce::classify(Failure::handover_unusable), unusable.what, {});
}

Verdict verdict_of_program(const Result<ProgramEnd>& end) {
  if (!end) {
    const bool is_for_now = end.error().code == Code::full || end.error().code == Code::closed;
    const auto failure = is_for_now ? Failure::program_died : Failure::handover_unusable;
    return judge(bounce::classify(failure), end.error().what, {});
  }
  const auto line = last_line(end->error_output.empty() ? end->output : end->error_output);
  const auto say = [&line](std::string what) {
    return line.empty() ? what
                        : fmt::format("{} ({})", text::printable(line, said_bytes_max), what);
  };
  if (end->timed_out)
    return judge(bounce::classify(Failure::program_died), say("the program took too long"), {});
  if (end->signal != 0)
    return judge(bounce::classify(Failure::program_died),
                 say(fmt::format("signal {} ended the program", end->signal)),
                 {});
  if (end->exit_code == 0)
    return {Attempted::Result::delivered, {"2.0.0", "taken by the program", {}}};
  return judge(bounce::classify_exit(end->exit_code, line),
               say(fmt::format("the program's exit code is {}", end->exit_code)),
               {});
}

Verdict verdict_of_response(const Result<http::Response>& response) {
  if (!response)
    return judge(
        bounce::classify(failure_of_request(response.error().code)), response.error().what, {});
  const auto judgement = bounce::classify_http_status(response->status);
  const auto said = text::trim(response->body);
  const auto line = text::trim(said.substr(0, said.find('\n')));
  auto text = fmt::format("HTTP status {}", response->status);
  if (judgement.verdict != bounce::Verdict::accepted && !line.empty())
    text += ": " + text::printable(line, said_bytes_max);
  return judge(judgement, std::move(text), {});
}

Verdict verdict_of_loop(const mail::Address& address) {
  return judge(bounce::classify(Failure::too_many_hops),
               fmt::format("the message was delivered to {} before (Delivered-To): it goes in "
                           "circles",
                           address.text()),
               {});
}

}  // namespace tapal::delivery
