// AUTH of ServerSession (RFC 4954). The exchange itself is run by whoever answers.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocols/smtp/server_session.h"
#include "values/text/base64.h"

namespace tapal::smtp {

void ServerSession::run_auth(std::string_view argument) {
  if (options_.role == ServerRole::mx || options_.mechanisms.empty())
    return error(
        make_reply(503,
                   "5.5.1",
                   "AUTH is not offered on this port; submit on 465 or 587 (RFC 6409, RFC 8314)"));
  if (!tls_on_)
    return error(
        make_reply(538, "5.7.11", "AUTH needs TLS; send STARTTLS first (RFC 4954 section 4)"));
  if (!esmtp_) return error(make_reply(503, "5.5.1", "Send EHLO first (RFC 4954 section 4)"));
  if (!user_.empty())
    return error(make_reply(503, "5.5.1", "You are authenticated already (RFC 4954 section 4)"));
  if (transaction_.sender_known)
    return error(
        make_reply(503, "5.5.1", "No AUTH within a message; RSET drops it (RFC 4954 section 4)"));
  auto command = parse_auth(argument);
  if (!command) return error(command.error());
  const auto& all = options_.mechanisms;
  if (std::find(all.begin(), all.end(), command->mechanism) == all.end())
    return error(make_reply(
        504,
        "5.5.4",
        "This mechanism is not offered; EHLO lists those that are (RFC 4954 section 4)"));
  ask(Question::authentication,
      AskAuthentication{std::move(command->mechanism), std::move(command->initial_response)});
}

void ServerSession::on_auth_challenge(std::string_view challenge, Instant now) {
  if (!answered(Question::authentication, now)) return;
  phase_ = Phase::auth_response;
  if (output_.empty()) output_since_ = now_;
  // Not by wire(): the space stays before an empty challenge too (RFC 4954 section 4).
  output_ += "334 " + text::to_base64(challenge) + "\r\n";
}

void ServerSession::run_auth_response(std::string_view line) {
  phase_ = Phase::commands;
  if (line == "*")
    return fail_authentication(
        make_reply(501, "5.7.0", "The authentication is cancelled (RFC 4954 section 4)"));
  auto response = text::from_base64(line);
  if (!response)
    return fail_authentication(
        make_reply(501, "5.5.2", "The response is not base64 (RFC 4954 section 4)"));
  ask(Question::authentication, AskAuthStep{*std::move(response)});
}

void ServerSession::on_auth_success(std::string user, Instant now) {
  if (!answered(Question::authentication, now)) return;
  user_ = std::move(user);
  say(make_reply(235, "2.7.0", "Authenticated"));
}

void ServerSession::on_auth_failure(const Reply& refusal, Instant now) {
  if (answered(Question::authentication, now)) fail_authentication(refusal);
}

void ServerSession::fail_authentication(const Reply& reply) {
  say_answer(reply);
  if (++auth_failures_ >= options_.limits.auth_attempts && phase_ != Phase::closed)
    close_with(make_reply(421, "4.7.0", "Too many failed authentications"));
}

}  // namespace tapal::smtp
