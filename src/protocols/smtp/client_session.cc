#include "protocols/smtp/client_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tapal::smtp {

using client::Action;
using client::Phase;
using client::SessionFailed;
using Kind = client::SessionFailed::Kind;

namespace {

constexpr std::size_t piece_bytes_min = 4 * 1024;  // reads of the body are never smaller
constexpr std::size_t idle_buffer_bytes_max = 4 * 1024;

}  // namespace

ClientSession::ClientSession(ClientOptions options, Instant now)
    : options_(std::move(options)),
      now_(now),
      armed_at_(now),
      awaited_{{Awaited::Command::greeting}},
      tls_on_(options_.tls == ClientTls::implicit) {}

std::optional<Action> ClientSession::next_action() {
  if (!actions_.empty()) {
    Action action = std::move(actions_.front());
    actions_.pop_front();
    if (std::holds_alternative<client::StartTls>(action)) armed_at_ = now_;
    if (std::holds_alternative<client::Ready>(action)) release_buffers();
    return action;
  }
  // The body is gathered before it is sent, so that a small message leaves in one write.
  if (wants_body()) {
    const std::uint64_t left = transaction_.body_bytes - body_taken_;
    const std::size_t room = buffered_bytes_max - std::min(buffered_bytes_max, out_.size());
    const std::size_t bytes_max = std::min<std::uint64_t>(left, std::max(room, piece_bytes_min));
    return client::WantBody{body_taken_, bytes_max};
  }
  if (!out_.empty()) {
    std::swap(out_, sending_);
    out_.clear();
    armed_at_ = now_;
    handed_out_ = body_ended_;
    return client::Send{sending_};
  }
  if (stage_ == Stage::closing) {
    stage_ = Stage::closed;
    return client::Close{};
  }
  return {};
}

void ClientSession::on_bytes(std::string_view bytes, Instant now) {
  now_ = now;
  while (!bytes.empty() && stage_ != Stage::closing && stage_ != Stage::closed) {
    // Whoever injects bytes behind the reply to STARTTLS wants them taken for the peer's under TLS.
    if (stage_ == Stage::tls_handshake)
      return fail_protocol("bytes in clear after the reply to STARTTLS");
    const auto taken = reader_.feed(bytes);
    if (!taken) return fail_protocol(taken.error().what);
    bytes.remove_prefix(*taken);
    if (reader_.is_ready()) on_reply(reader_.take());
  }
}

void ClientSession::on_sent(Instant now) { now_ = armed_at_ = now; }

void ClientSession::on_time(Instant now) {
  now_ = now;
  if (now < deadline()) return;
  if (stage_ == Stage::quitting || stage_ == Stage::closing) return close_after(Goodbye::none);
  fail({.kind = Kind::timed_out,
        .phase = phase(),
        .reply = {},
        .what = fmt::format("no answer in {} s {}", patience().count(), phase_text(phase()))});
}

void ClientSession::on_closed(std::string_view reason) {
  if (stage_ == Stage::quitting || stage_ == Stage::closing) return close_after(Goodbye::none);
  fail({.kind = Kind::lost,
        .phase = phase(),
        .reply = {},
        .what = fmt::format("connection lost {}: {}", phase_text(phase()), reason)});
}

void ClientSession::quit(Instant now) {
  now_ = now;
  if (stage_ == Stage::quitting || stage_ == Stage::closing || stage_ == Stage::closed) return;
  if (stage_ != Stage::idle) return on_closed("given up");
  std::erase_if(actions_,
                [](const Action& each) { return std::holds_alternative<client::Ready>(each); });
  stage_ = Stage::quitting;
  command({Awaited::Command::quit}, "QUIT\r\n");
}

bool ClientSession::wants_bytes() const {
  return !awaited_.empty() && stage_ != Stage::closing && stage_ != Stage::closed;
}

bool ClientSession::wants_body() const {
  return stage_ == Stage::body && body_taken_ < transaction_.body_bytes &&
         (out_.size() + piece_bytes_min <= buffered_bytes_max || delivery_ == Delivery::early_bdat);
}

Instant ClientSession::deadline() const {
  switch (stage_) {
    case Stage::auth_choice:
    case Stage::auth_challenge:
    case Stage::auth_verify:
    case Stage::idle:
    case Stage::closed: return never;
    default: return armed_at_ + patience();
  }
}

std::chrono::seconds ClientSession::patience() const {
  const ClientTimeouts& timeouts = options_.timeouts;
  if (stage_ == Stage::closing) return timeouts.quit;
  switch (phase()) {
    case Phase::greeting: return timeouts.greeting;
    case Phase::hello: return timeouts.hello;
    case Phase::tls: return timeouts.tls;
    case Phase::auth: return timeouts.auth;
    case Phase::rcpt: return timeouts.rcpt;
    case Phase::data: return timeouts.data;
    case Phase::body: return timeouts.block;
    case Phase::final: return timeouts.final;
    case Phase::quit: return timeouts.quit;
    case Phase::idle:
    case Phase::checks:
    case Phase::mail: return timeouts.mail;
  }
  return timeouts.mail;
}

Phase ClientSession::phase() const {
  if (answering_) return phase_of(*answering_);
  switch (stage_) {
    case Stage::tls_handshake: return Phase::tls;
    case Stage::auth_choice:
    case Stage::auth_challenge:
    case Stage::auth_verify: return Phase::auth;
    default: break;
  }
  if (!awaited_.empty()) return phase_of(awaited_.front().command);
  return stage_ == Stage::body ? Phase::body : Phase::idle;
}

Phase ClientSession::phase_of(Awaited::Command command) {
  switch (command) {
    case Awaited::Command::greeting: return Phase::greeting;
    case Awaited::Command::ehlo:
    case Awaited::Command::helo: return Phase::hello;
    case Awaited::Command::starttls: return Phase::tls;
    case Awaited::Command::auth: return Phase::auth;
    case Awaited::Command::reset:
    case Awaited::Command::mail: return Phase::mail;
    case Awaited::Command::rcpt: return Phase::rcpt;
    case Awaited::Command::data: return Phase::data;
    case Awaited::Command::final: return Phase::final;
    case Awaited::Command::quit: return Phase::quit;
  }
  return Phase::idle;
}

// A connection may be kept warm for long: it holds no message's buffers then.
void ClientSession::release_buffers() {
  for (std::string* buffer : {&out_, &sending_})
    if (buffer->empty() || buffer->capacity() > idle_buffer_bytes_max) std::string().swap(*buffer);
}

void ClientSession::command(Awaited awaited, std::string_view line) {
  out_ += line;
  awaited_.push_back(awaited);
}

void ClientSession::on_reply(const Reply& reply) {
  armed_at_ = now_;
  if (stage_ == Stage::quitting) return close_after(Goodbye::none);
  if (awaited_.empty()) return on_unasked_reply(reply);
  const Awaited awaited = awaited_.front();
  awaited_.pop_front();
  answering_ = awaited.command;
  using Command = Awaited::Command;
  const bool handshake = phase() == Phase::greeting || phase() == Phase::hello;
  const bool may_ask = awaited.command == Command::data || awaited.command == Command::auth;
  if (reply.code == 421 && !handshake) {
    on_shutdown(reply);
  } else if (is_intermediate(reply) && !may_ask) {
    fail_protocol("a reply that asks for more than the command has", reply);
  } else {
    on_answer(awaited, reply);
  }
  answering_.reset();
}

void ClientSession::on_answer(const Awaited& awaited, const Reply& reply) {
  using Command = Awaited::Command;
  switch (awaited.command) {
    case Command::greeting: return on_greeting(reply);
    case Command::ehlo:
    case Command::helo: return on_hello(reply, awaited.command);
    case Command::starttls: return on_starttls(reply);
    case Command::auth: return on_auth(reply);
    case Command::data: return on_data(reply);
    case Command::reset:
      if (!is_positive(reply)) return fail_protocol("RSET was refused", reply);
      break;
    case Command::mail: on_mail(reply); break;
    case Command::rcpt: on_rcpt(awaited.recipient, reply); break;
    case Command::final: on_final(awaited.recipient, reply); break;
    case Command::quit: break;
  }
  if (awaited_.empty()) advance();
}

void ClientSession::on_unasked_reply(const Reply& reply) {
  if (reply.code == 421) return on_shutdown(reply);
  if (stage_ == Stage::body) return on_early_reply(reply);
  fail_protocol("a reply that nobody asked for", reply);
}

void ClientSession::on_shutdown(const Reply& reply) {
  fail({.kind = Kind::shutting_down,
        .phase = phase(),
        .reply = reply,
        .what = fmt::format("the peer ends the session {}", phase_text(phase()))});
}

void ClientSession::fail_protocol(std::string what, std::optional<Reply> reply) {
  fail({.kind = Kind::protocol,
        .phase = phase(),
        .reply = std::move(reply),
        .what = fmt::format("{} {}", what, phase_text(phase()))});
}

// What was put out for the shell and not taken has lost its sense, but for the outcomes.
void ClientSession::fail(SessionFailed failure, Goodbye goodbye) {
  if (stage_ == Stage::closing || stage_ == Stage::closed) return;
  std::erase_if(actions_, [](const Action& each) {
    return !std::holds_alternative<client::TransactionDone>(each);
  });
  if (in_transaction_) lose_open(failure);
  actions_.emplace_back(std::move(failure));
  close_after(goodbye);
}

void ClientSession::close_after(Goodbye goodbye) {
  if (stage_ == Stage::closed) return;
  stage_ = Stage::closing;
  armed_at_ = now_;
  awaited_.clear();
  out_.clear();
  if (goodbye == Goodbye::quit) out_ = "QUIT\r\n";
}

}  // namespace tapal::smtp
