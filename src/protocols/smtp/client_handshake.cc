// ClientSession up to Ready: greeting, EHLO, STARTTLS, AUTH.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocols/smtp/client_session.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::smtp {

using client::Phase;
using Kind = client::SessionFailed::Kind;

namespace {

constexpr std::size_t command_bytes_max = 510;  // RFC 5321 section 4.5.3.1.4, without CRLF
constexpr std::size_t auth_rounds_max = 10;

}  // namespace

void ClientSession::on_greeting(const Reply& reply) {
  if (!is_positive(reply))
    return fail({.kind = Kind::greeting_refused,
                 .phase = Phase::greeting,
                 .reply = reply,
                 .what = "the peer takes no mail from us"},
                reply.code == 421 ? Goodbye::none : Goodbye::quit);
  if (!reply.lines.empty())
    if (const auto words = text::words(reply.lines[0]); !words.empty()) greeting_name_ = words[0];
  say_hello();
}

void ClientSession::say_hello() {
  const std::string_view verb = options_.variant == ClientVariant::lmtp ? "LHLO" : "EHLO";
  command({Awaited::Command::ehlo}, fmt::format("{} {}\r\n", verb, options_.hello_name));
}

void ClientSession::on_hello(const Reply& reply, Awaited::Command said) {
  const bool extended = said == Awaited::Command::ehlo;
  if (is_positive(reply)) {
    extensions_ = parse_ehlo(reply);
    if (!extended) extensions_ = {.name = std::move(extensions_.name)};
    return after_hello();
  }
  // RFC 5321 section 3.2: servers of old know HELO alone. LMTP has nothing older.
  if (extended && is_permanent(reply) && options_.variant == ClientVariant::smtp)
    return command({Awaited::Command::helo}, fmt::format("HELO {}\r\n", options_.hello_name));
  fail({.kind = Kind::greeting_refused,
        .phase = Phase::hello,
        .reply = reply,
        .what = "the peer refuses our name"},
       reply.code == 421 ? Goodbye::none : Goodbye::quit);
}

void ClientSession::after_hello() {
  const bool refused = starttls_refusal_.has_value();
  if (!tls_on_ && options_.tls != ClientTls::never) {
    if (extensions_.has(Extension::starttls) && !refused)
      return command({Awaited::Command::starttls}, "STARTTLS\r\n");
    if (options_.tls == ClientTls::required)
      return fail({.kind = Kind::tls_refused,
                   .phase = Phase::tls,
                   .reply = starttls_refusal_,
                   .what = refused ? "TLS is required and the peer refuses STARTTLS"
                                   : "TLS is required and the peer does not offer STARTTLS"},
                  Goodbye::quit);
  }
  if (options_.auth == ClientAuth::never || authenticated_) return become_ready();
  std::string_view obstacle;
  if (!tls_on_ && !options_.auth_in_clear_allowed) {
    obstacle = "no password is sent without TLS";
  } else if (extensions_.auth_mechanisms.empty()) {
    obstacle = "the peer does not offer AUTH";
  }
  if (!obstacle.empty())
    return fail({.kind = Kind::auth_failed,
                 .phase = Phase::auth,
                 .reply = {},
                 .what = std::string(obstacle)},
                Goodbye::quit);
  stage_ = Stage::auth_choice;
  actions_.emplace_back(client::AskAuthentication{extensions_.auth_mechanisms});
}

void ClientSession::on_starttls(const Reply& reply) {
  if (reply.code == 220) {
    if (!reader_.is_empty()) return fail_protocol("bytes in clear after the reply to STARTTLS");
    stage_ = Stage::tls_handshake;
    actions_.emplace_back(client::StartTls{});
    return;
  }
  if (is_positive(reply)) return fail_protocol("STARTTLS needs 220", reply);
  starttls_refusal_ = reply;
  after_hello();
}

void ClientSession::on_tls_started(Instant now) {
  if (stage_ != Stage::tls_handshake) return;
  now_ = armed_at_ = now;
  tls_on_ = true;
  extensions_ = {};  // RFC 3207 section 4.2: what was said in clear is forgotten
  stage_ = Stage::hello;
  say_hello();
}

void ClientSession::on_tls_failed(std::string_view reason) {
  const bool at_start = options_.tls == ClientTls::implicit && stage_ == Stage::hello;
  if (stage_ != Stage::tls_handshake && !at_start) return;
  fail({.kind = Kind::tls_failed,
        .phase = Phase::tls,
        .reply = {},
        .what = fmt::format("TLS handshake failed: {}", reason)});
}

void ClientSession::on_auth_start(std::string_view mechanism,
                                  std::optional<std::string_view> initial) {
  if (stage_ != Stage::auth_choice) return;
  const bool sound = std::ranges::all_of(
      mechanism, [](char c) { return text::is_alnum(c) || c == '-' || c == '_'; });
  if (!sound || mechanism.empty()) return on_auth_given_up("no such mechanism");
  std::string line = fmt::format("AUTH {}", mechanism);
  if (initial) {
    // RFC 4954 section 4: "=" is the empty response; one that makes the line too long waits.
    const std::string encoded = initial->empty() ? "=" : text::to_base64(*initial);
    if (line.size() + 1 + encoded.size() <= command_bytes_max) {
      line += ' ';
      line += encoded;
    } else {
      auth_initial_ = *initial;
    }
  }
  stage_ = Stage::auth;
  command({Awaited::Command::auth}, line + "\r\n");
}

void ClientSession::on_auth(const Reply& reply) {
  if (!auth_cancelled_.empty())
    return fail({.kind = Kind::auth_failed,
                 .phase = Phase::auth,
                 .reply = {},
                 .what = std::move(auth_cancelled_)},
                Goodbye::quit);
  if (is_intermediate(reply)) {
    if (++auth_rounds_ > auth_rounds_max) return cancel_auth("the exchange does not end");
    auto bytes = text::from_base64(reply.lines.empty() ? "" : text::trim(reply.lines.back()));
    if (!bytes) return cancel_auth("the peer's challenge is not base64");
    stage_ = Stage::auth_challenge;
    if (auth_initial_) {
      if (!bytes->empty()) return cancel_auth("the peer speaks first, the mechanism does not");
      const std::string initial = std::move(*auth_initial_);
      auth_initial_.reset();
      return on_auth_response(initial);
    }
    actions_.emplace_back(client::AuthChallenge{std::move(*bytes)});
    return;
  }
  if (!is_positive(reply))
    return fail({.kind = Kind::auth_failed,
                 .phase = Phase::auth,
                 .reply = reply,
                 .what = "the peer refuses our name and password"},
                Goodbye::quit);
  stage_ = Stage::auth_verify;
  actions_.emplace_back(client::AuthAccepted{});
}

void ClientSession::on_auth_response(std::string_view bytes) {
  if (stage_ != Stage::auth_challenge) return;
  stage_ = Stage::auth;
  command({Awaited::Command::auth}, text::to_base64(bytes) + "\r\n");
}

void ClientSession::on_auth_verified() {
  if (stage_ != Stage::auth_verify) return;
  authenticated_ = true;
  become_ready();
}

void ClientSession::on_auth_given_up(std::string_view reason) {
  if (stage_ == Stage::auth_challenge) return cancel_auth(reason);
  if (stage_ != Stage::auth_choice && stage_ != Stage::auth_verify) return;
  fail({.kind = Kind::auth_failed, .phase = Phase::auth, .reply = {}, .what = std::string(reason)},
       Goodbye::quit);
}

// RFC 4954 section 4: "*" ends an exchange, the peer answers 501.
void ClientSession::cancel_auth(std::string_view reason) {
  stage_ = Stage::auth;
  auth_cancelled_ = reason.empty() ? "given up" : reason;
  command({Awaited::Command::auth}, "*\r\n");
}

void ClientSession::become_ready() {
  stage_ = Stage::idle;
  const bool may_reuse = !extensions_.mails_max || mails_ < *extensions_.mails_max;
  actions_.emplace_back(client::Ready{may_reuse});
}

}  // namespace tapal::smtp
