#include "protocols/smtp/server_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/mail/grammar.h"
#include "values/text/ascii.h"

namespace tapal::smtp {
namespace {

// Replies to pipelined commands wait for one another this long and up to this many bytes.
constexpr std::chrono::seconds output_wait{1};
constexpr std::size_t output_bytes_max = 16 * 1024;

}  // namespace

ServerSession::ServerSession(ServerOptions options, Instant now)
    : options_(std::move(options)),
      now_(now),
      idle_since_(now),
      session_end_(now + options_.limits.session),
      tls_on_(options_.tls == ServerTls::implicit_tls) {
  if (tls_on_) tls_.emplace();
}

void ServerSession::on_bytes(std::string_view bytes, Instant now) {
  if (phase_ == Phase::closed) return;
  now_ = now;
  // In clear, after the client was told to begin the handshake: never to be interpreted, and no
  // reply in clear can be expected to be read (RFC 3207 section 5, CVE-2011-0411).
  if (question_ == Question::tls) return close();
  if (!greeted_) ++errors_;
  if (unread().size() + bytes.size() > options_.limits.unread_bytes)
    return close_with(make_reply(
        421, "4.3.2", "More was sent ahead than is kept; wait for replies (RFC 2920 section 3.1)"));
  input_.erase(0, read_);
  scanned_ = scanned_ > read_ ? scanned_ - read_ : 0;
  read_ = 0;
  input_.append(bytes);
  if (phase_ != Phase::commands && phase_ != Phase::auth_response) idle_since_ = now;
}

void ServerSession::on_time(Instant now) {
  if (now < deadline()) return;
  now_ = now;
  const bool session_over = now >= session_end_;
  close_with(make_reply(
      421,
      "4.4.2",
      session_over
          ? fmt::format("This session has lasted {} s, the most there is; connect again",
                        options_.limits.session.count())
          : fmt::format("Nothing was heard for {} s (RFC 5321 section 4.5.3.2.7); connect again",
                        options_.limits.idle.count())));
}

void ServerSession::on_tls(TlsFacts facts, Instant now) {
  const bool at_start = options_.tls == ServerTls::implicit_tls && !greeted_;
  if (!at_start && !answered(Question::tls, now)) return;
  tls_on_ = true;
  tls_ = std::move(facts);
  // RFC 3207 section 4.2: what was said in clear is forgotten.
  input_.clear();
  read_ = scanned_ = 0;
  helo_.clear();
  esmtp_ = false;
  reset_transaction();
}

void ServerSession::on_shutdown() {
  on_overload(make_reply(421, "4.3.2", "The server is stopping; try again in a moment"));
}

void ServerSession::on_overload(Reply reply) {
  if (!goodbye_) goodbye_ = std::move(reply);
}

void ServerSession::greet() {
  if (greeted_) return;
  greeted_ = true;
  if (goodbye_) return close_with(*goodbye_);
  say(make_reply(220, "", options_.hostname + " ESMTP tapal"));
}

std::optional<ServerAction> ServerSession::next_action() {
  greet();
  while (actions_.empty() && question_ == Question::none && step())
    if (output_.size() > output_bytes_max) flush();
  if (actions_.empty()) flush();
  if (actions_.empty()) return {};
  ServerAction action = std::move(actions_.front());
  actions_.pop_front();
  return action;
}

bool ServerSession::wants_bytes() const {
  return phase_ != Phase::closed && question_ == Question::none && actions_.empty() &&
         output_.empty();
}

Instant ServerSession::deadline() const {
  if (phase_ == Phase::closed || question_ != Question::none) return never;
  return std::min(session_end_, idle_since_ + options_.limits.idle);
}

std::string ServerSession::with_protocol() const {
  if (!esmtp_) return "SMTP";
  std::string word = transaction_.envelope.smtputf8 ? "UTF8SMTP" : "ESMTP";
  if (tls_on_) word += 'S';
  if (!user_.empty()) word += 'A';
  return word;
}

bool ServerSession::step() {
  switch (phase_) {
    case Phase::commands:
    case Phase::auth_response:
      if (!goodbye_) return step_line();
      close_with(*goodbye_);
      return true;
    case Phase::data: return step_data();
    case Phase::chunk: return step_chunk();
    case Phase::skipped_chunk: return step_skipped_chunk();
    case Phase::closed: break;
  }
  return false;
}

std::size_t ServerSession::line_bytes_max() const {
  const bool is_auth =
      phase_ == Phase::auth_response || text::starts_with_ignoring_case(unread(), "AUTH ");
  return is_auth ? options_.limits.auth_line_bytes : options_.limits.command_line_bytes;
}

bool ServerSession::step_line() {
  const std::size_t line_end = input_.find('\n', std::max(read_, scanned_));
  const std::string_view waiting = unread();
  if (phase_ == Phase::commands && !line_discarded_ && !waiting.empty() &&
      mail::is_control_char(waiting.front()) && waiting.front() != '\r' &&
      waiting.front() != '\n') {
    close_with(make_reply(554,
                          "5.5.2",
                          "This is no SMTP command; TLS begins with STARTTLS here, or on port 465 "
                          "(RFC 8314 section 3.3)"));
    return true;
  }
  if (line_end == std::string::npos) {
    scanned_ = input_.size();
    if (waiting.size() >= line_bytes_max()) line_discarded_ = true;
    if (line_discarded_) read_ = input_.size();
    return false;
  }
  const bool too_long =
      std::exchange(line_discarded_, false) || line_end + 1 - read_ > line_bytes_max();
  std::string_view line = waiting.substr(0, line_end - read_);
  read_ = line_end + 1;
  idle_since_ = now_;
  const bool has_cr = line.ends_with('\r');
  if (has_cr) line.remove_suffix(1);
  if (too_long) {
    refuse_line("The line is too long");
  } else if (!has_cr) {
    refuse_line("The line ends in LF alone; CRLF ends a line (RFC 5321 section 2.3.8)");
  } else if (std::any_of(line.begin(), line.end(), mail::is_control_char)) {
    refuse_line("The line has a control character in it (RFC 5321 section 4.1.2)");
  } else if (phase_ == Phase::auth_response) {
    run_auth_response(line);
  } else {
    run(line);
  }
  return true;
}

void ServerSession::refuse_line(std::string_view text) {
  if (phase_ == Phase::auth_response) {
    phase_ = Phase::commands;
    return fail_authentication(
        make_reply(500,
                   "5.5.6",
                   fmt::format("{}; the authentication is cancelled (RFC 4954 section 4)", text)));
  }
  error(make_reply(500, "5.5.2", text));
}

void ServerSession::ask(Question question, ServerAction action) {
  if (now_ - output_since_ > output_wait) flush();
  question_ = question;
  actions_.push_back(std::move(action));
}

bool ServerSession::answered(Question question, Instant now) {
  if (question_ != question || phase_ == Phase::closed) return false;
  question_ = Question::none;
  now_ = idle_since_ = now;
  return true;
}

void ServerSession::say(const Reply& reply) {
  if (output_.empty()) output_since_ = now_;
  output_ += wire(reply);
}

void ServerSession::say_answer(const Reply& reply) {
  if (reply.code == 421) return close_with(reply);
  say(reply);
}

void ServerSession::error(const Reply& reply) {
  say(reply);
  if (++errors_ >= options_.limits.errors)
    close_with(make_reply(421, "4.7.0", "Too many errors; correct the program and connect again"));
}

void ServerSession::close_with(const Reply& reply) {
  say(reply);
  close();
}

void ServerSession::close() {
  if (phase_ == Phase::closed) return;
  abandon_body();
  flush();
  actions_.emplace_back(Close{});
  phase_ = Phase::closed;
  question_ = Question::none;
  greeted_ = true;
}

void ServerSession::flush() {
  if (output_.empty()) return;
  actions_.emplace_back(Send{std::exchange(output_, {})});
}

void ServerSession::abandon_body() {
  if (std::exchange(transaction_.body_open, false)) actions_.emplace_back(AbandonBody{});
}

void ServerSession::reset_transaction() {
  abandon_body();
  transaction_ = {};
}

}  // namespace tapal::smtp
