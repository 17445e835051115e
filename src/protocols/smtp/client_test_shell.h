// For tests: drives a ClientSession as a shell would, and plays the peer from a script.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocols/smtp/client_session.h"

namespace tapal::smtp {

// What the shell is to do, beside moving bytes.
struct ClientPlan {
  struct Mail {
    client::Transaction transaction;
    std::string body;
  };
  ClientOptions options;
  std::vector<Mail> mails;  // one after the other, then QUIT
  std::string tls_failure;  // what the handshake ends with; empty: it holds
  std::string auth_mechanism;
  std::optional<std::string> auth_initial;
  std::vector<std::string> auth_responses;
  std::string auth_doubt;  // why not to trust the peer's yes; empty: trust it
};

inline std::string_view outcome_text(client::Outcome outcome) {
  switch (outcome) {
    case client::Outcome::accepted: return "accepted";
    case client::Outcome::refused: return "refused";
    case client::Outcome::not_tried: return "not tried";
    case client::Outcome::lost: return "lost";
  }
  return "";
}

inline std::string_view kind_text(client::SessionFailed::Kind kind) {
  using Kind = client::SessionFailed::Kind;
  switch (kind) {
    case Kind::greeting_refused: return "greeting_refused";
    case Kind::protocol: return "protocol";
    case Kind::shutting_down: return "shutting_down";
    case Kind::tls_refused: return "tls_refused";
    case Kind::tls_failed: return "tls_failed";
    case Kind::auth_failed: return "auth_failed";
    case Kind::body_failed: return "body_failed";
    case Kind::lost: return "lost";
    case Kind::timed_out: return "timed_out";
  }
  return "";
}

// The shell without a network: what it was told is in `events`, what it would write in `written`.
class ClientShell {
 public:
  explicit ClientShell(ClientPlan plan) : plan_(std::move(plan)), session(plan_.options, now) {}

  void run() {
    while (auto action = session.next_action()) {
      std::visit([this](auto& each) { on(each); }, *action);
      if (++actions > 1'000'000) std::abort();
    }
  }
  void feed(std::string_view bytes) {
    session.on_bytes(bytes, now);
    run();
  }

  std::string what_happened() const {
    std::string text;
    for (const std::string& event : events) text += event + "\n";
    return text;
  }

 private:
  void on(client::Send& send) {
    written += send.bytes;
    writes.emplace_back(send.bytes);
    session.on_sent(now);
  }
  void on(client::StartTls&) {
    events.emplace_back("tls");
    if (plan_.tls_failure.empty()) {
      session.on_tls_started(now);
    } else {
      session.on_tls_failed(plan_.tls_failure);
    }
  }
  void on(client::AskAuthentication& ask) {
    std::string event = "auth";
    for (const std::string& mechanism : ask.mechanisms) event += " " + mechanism;
    events.push_back(event);
    if (plan_.auth_mechanism.empty()) return session.on_auth_given_up("no mechanism will do");
    session.on_auth_start(plan_.auth_mechanism, plan_.auth_initial);
  }
  void on(client::AuthChallenge& challenge) {
    events.push_back("challenge " + challenge.bytes);
    if (next_response_ == plan_.auth_responses.size())
      return session.on_auth_given_up("no response will do");
    session.on_auth_response(plan_.auth_responses[next_response_++]);
  }
  void on(client::AuthAccepted&) {
    events.emplace_back("auth accepted");
    if (!plan_.auth_doubt.empty()) return session.on_auth_given_up(plan_.auth_doubt);
    session.on_auth_verified();
  }
  void on(client::WantBody& want) {
    const std::string& body = plan_.mails[next_mail_ - 1].body;
    largest_want = std::max(largest_want, want.bytes_max);
    session.on_body(std::string_view(body).substr(std::min(body.size(), want.offset),
                                                  std::min(want.bytes_max, piece)));
  }
  void on(client::TransactionDone& done) {
    std::string event = done.maybe_delivered ? "done, maybe delivered:" : "done:";
    for (const client::RecipientResult& result : done.recipients) {
      event += " " + std::to_string(result.index) + " " + std::string(outcome_text(result.outcome));
      if (result.outcome != client::Outcome::not_tried || result.phase != client::Phase::checks)
        event += " " + std::string(phase_text(result.phase));
      if (result.reply.code != 0)
        event += (result.ours ? " ours " : " ") + one_line(result.reply).substr(0, 9);
      event += ";";
    }
    events.push_back(event);
    dones.push_back(std::move(done));
  }
  void on(client::Ready& ready) {
    events.emplace_back(ready.may_reuse ? "ready" : "ready, spent");
    if (ready.may_reuse && next_mail_ < plan_.mails.size()) {
      session.start(plan_.mails[next_mail_++].transaction, now);
    } else {
      session.quit(now);
    }
  }
  void on(client::SessionFailed& failed) {
    std::string event = "failed " + std::string(kind_text(failed.kind)) + " " +
                        std::string(phase_text(failed.phase));
    if (failed.reply) event += " " + one_line(*failed.reply).substr(0, 9);
    events.push_back(event);
    failures.push_back(std::move(failed));
  }
  void on(client::Close&) {
    events.emplace_back("close");
    ++closes;
  }

  ClientPlan plan_;
  std::size_t next_mail_ = 0;
  std::size_t next_response_ = 0;

 public:
  Instant now{std::chrono::hours(1)};
  ClientSession session;
  std::string written;
  std::vector<std::string> writes;
  std::vector<std::string> events;
  std::vector<client::TransactionDone> dones;
  std::vector<client::SessionFailed> failures;
  std::size_t started() const { return next_mail_; }
  std::size_t piece = std::size_t{64} * 1024;
  std::size_t largest_want = 0;
  int closes = 0;
  int actions = 0;
};

inline client::Transaction a_transaction(std::vector<std::string> recipients,
                                         std::size_t body_bytes) {
  client::Transaction transaction;
  transaction.envelope.return_path = mail::Address{"from", "sender.example"};
  for (std::string& local : recipients)
    transaction.envelope.recipients.push_back({.address = {std::move(local), "rcpt.example"}});
  transaction.body_bytes = body_bytes;
  return transaction;
}

inline ClientPlan::Mail a_mail(std::vector<std::string> recipients, std::string body) {
  const std::size_t bytes = body.size();
  return {a_transaction(std::move(recipients), bytes), std::move(body)};
}

}  // namespace tapal::smtp
