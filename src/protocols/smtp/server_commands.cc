// The commands of ServerSession that are about neither bodies nor authentication.
#include <utility>

#include <fmt/format.h>

#include "protocols/smtp/server_session.h"
#include "values/text/ascii.h"

namespace tapal::smtp {

void ServerSession::run(std::string_view line) {
  const CommandLine command = split_command(line);
  // A browser or another program made to talk to us must not get as far as a command hidden in
  // its request.
  if (command.verb == Verb::foreign || (command.verb == Verb::unknown && helo_.empty()))
    return close_with(make_reply(
        554,
        "5.5.1",
        fmt::format(
            "This is an SMTP server and '{}' is not a command of it; closing the connection",
            text::printable(command.word, 40))));
  switch (command.verb) {
    case Verb::ehlo:
    case Verb::helo: return run_helo(command);
    case Verb::mail: return run_mail(command.argument);
    case Verb::rcpt: return run_rcpt(command.argument);
    case Verb::data: return run_data(command.argument);
    case Verb::bdat: return run_bdat(command.argument);
    case Verb::starttls: return run_starttls(command.argument);
    case Verb::auth: return run_auth(command.argument);
    case Verb::quit:
      if (!command.argument.empty()) break;
      return close_with(make_reply(221, "2.0.0", options_.hostname + " says goodbye"));
    case Verb::rset:
      if (!command.argument.empty()) break;
      [[fallthrough]];
    case Verb::noop:
    case Verb::vrfy:
    case Verb::expn:
    case Verb::help: return run_idle_command(command);
    case Verb::foreign:
    case Verb::unknown:
      return error(make_reply(
          500,
          "5.5.1",
          fmt::format("'{}' is not a command known here; HELP lists them (RFC 5321 section 4.1.1)",
                      text::printable(command.word, 40))));
  }
  error(make_reply(
      501, "5.5.4", fmt::format("{} takes no argument (RFC 5321 section 4.1.1)", command.word)));
}

void ServerSession::run_idle_command(const CommandLine& command) {
  if (command.verb == Verb::rset) reset_transaction();
  if (!may_idle()) return;
  if (command.verb == Verb::vrfy)
    return say(make_reply(252,
                          "2.5.0",
                          "Whether an address exists is not told; send the message and it is "
                          "accepted or refused (RFC 5321 section 3.5.3)"));
  if (command.verb == Verb::expn)
    return error(make_reply(502, "5.5.1", "Lists are not told (RFC 5321 section 7.3)"));
  if (command.verb == Verb::help)
    return say(make_reply(214,
                          "2.0.0",
                          "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT STARTTLS AUTH VRFY HELP\n"
                          "as in RFC 5321; EHLO lists the extensions"));
  say(make_reply(250, "2.0.0", "OK"));
}

// Counts a command that carries no message forward.
bool ServerSession::may_idle() {
  if (++idle_commands_ <= options_.limits.idle_commands) return true;
  close_with(make_reply(
      421,
      "4.7.0",
      fmt::format("More than {} commands without a message", options_.limits.idle_commands)));
  return false;
}

void ServerSession::run_helo(const CommandLine& command) {
  auto name = parse_helo(command.argument);
  if (!name) return error(name.error());
  if (!may_idle()) return;
  reset_transaction();  // RFC 5321 section 4.1.4
  helo_ = *std::move(name);
  esmtp_ = command.verb == Verb::ehlo;
  say(esmtp_ ? ehlo_reply() : make_reply(250, "", options_.hostname));
}

Extensions ServerSession::offered() const {
  if (!esmtp_) return {};
  Extensions offered{Extension::pipelining,
                     Extension::size,
                     Extension::eight_bit_mime,
                     Extension::binary_mime,
                     Extension::chunking,
                     Extension::enhanced_status_codes,
                     Extension::smtputf8,
                     Extension::dsn,
                     Extension::limits};
  if (tls_on_) offered.add(Extension::require_tls);
  if (!tls_on_ && options_.tls == ServerTls::starttls) offered.add(Extension::starttls);
  if (tls_on_ && options_.role == ServerRole::submission && !options_.mechanisms.empty())
    offered.add(Extension::auth);
  return offered;
}

Reply ServerSession::ehlo_reply() const {
  Reply reply{250, "", {fmt::format("{} greets {}", options_.hostname, helo_)}};
  Extensions listed = offered();
  if (!user_.empty()) listed.remove(Extension::auth);  // once is enough (RFC 4954 section 4)
  for (const ExtensionRow& row : extension_rows) {
    if (!listed.has(row.extension)) continue;
    std::string line(row.keyword);
    if (row.extension == Extension::size) line += fmt::format(" {}", options_.limits.message_bytes);
    if (row.extension == Extension::limits)
      line += fmt::format(
          " MAILMAX={} RCPTMAX={}", options_.limits.transactions, options_.limits.recipients);
    if (row.extension == Extension::auth)
      for (const std::string& mechanism : options_.mechanisms) line += ' ' + mechanism;
    reply.lines.push_back(std::move(line));
  }
  return reply;
}

void ServerSession::run_mail(std::string_view argument) {
  if (options_.tls_required && !tls_on_)
    return error(make_reply(530, "5.7.0", "Send STARTTLS first (RFC 3207 section 4)"));
  if (helo_.empty())
    return error(make_reply(503, "5.5.1", "Send EHLO first (RFC 5321 section 4.1.4)"));
  if (options_.authentication_required && user_.empty())
    return error(make_reply(530, "5.7.0", "Send AUTH first (RFC 4954 section 6)"));
  if (transaction_.sender_known)
    return error(
        make_reply(503, "5.5.1", "A message is under way; RSET drops it (RFC 5321 section 4.1.4)"));
  if (transactions_ >= options_.limits.transactions)
    return close_with(make_reply(421,
                                 "4.7.0",
                                 fmt::format("No more than {} messages in a session (RFC 9422 "
                                             "section 4.1); connect again",
                                             options_.limits.transactions)));
  auto command = parse_mail(argument, offered());
  if (!command) return error(command.error());
  if (command->declared_bytes.value_or(0) > options_.limits.message_bytes)
    return say(make_reply(552,
                          "5.3.4",
                          fmt::format("The message is larger than {} bytes (RFC 1870 section 6.1)",
                                      options_.limits.message_bytes)));
  reset_transaction();
  transaction_.envelope = command->envelope;
  ask(Question::sender,
      AskSender{std::move(command->envelope),
                command->declared_bytes,
                std::move(command->authorized_as)});
}

void ServerSession::on_sender(std::optional<Reply> refusal, Instant now) {
  if (!answered(Question::sender, now)) return;
  if (refusal) {
    reset_transaction();
    if (may_idle()) say_answer(*refusal);
    return;
  }
  ++transactions_;
  transaction_.sender_known = true;
  say(make_reply(250, "2.1.0", "Sender taken"));
}

void ServerSession::run_rcpt(std::string_view argument) {
  if (!transaction_.sender_known)
    return error(make_reply(503, "5.5.1", "Send MAIL first (RFC 5321 section 4.1.4)"));
  if (transaction_.chunked)
    return error(make_reply(503, "5.5.1", "BDAT has begun; no recipients after it (RFC 3030)"));
  if (transaction_.envelope.recipients.size() >= options_.limits.recipients)
    return say(make_reply(452,
                          "4.5.3",
                          fmt::format("No more than {} recipients; send the message again to the "
                                      "others (RFC 5321 section 4.5.3.1.10)",
                                      options_.limits.recipients)));
  const std::string_view postmaster_domain =
      options_.postmaster_domain.empty() ? options_.hostname : options_.postmaster_domain;
  auto recipient =
      parse_rcpt(argument, {offered(), transaction_.envelope.smtputf8, postmaster_domain});
  transaction_.recipient_tried = true;
  if (!recipient) return refuse_recipient(recipient.error());
  transaction_.asked = *std::move(recipient);
  ask(Question::recipient, AskRecipient{transaction_.asked});
}

void ServerSession::on_recipient(std::optional<Reply> refusal, Instant now) {
  if (!answered(Question::recipient, now)) return;
  if (refusal) return refuse_recipient(*refusal);
  transaction_.envelope.recipients.push_back(std::move(transaction_.asked));
  say(make_reply(250, "2.1.5", "Recipient taken"));
}

void ServerSession::refuse_recipient(const Reply& reply) {
  say_answer(reply);
  if (++refused_recipients_ >= options_.limits.refused_recipients && phase_ != Phase::closed)
    close_with(make_reply(421, "4.7.0", "Too many refused recipients"));
}

void ServerSession::run_starttls(std::string_view argument) {
  if (!argument.empty())
    return error(make_reply(501, "5.5.4", "STARTTLS takes no argument (RFC 3207 section 4)"));
  if (tls_on_) return error(make_reply(503, "5.5.1", "TLS is on already (RFC 3207 section 4)"));
  if (options_.tls == ServerTls::none)
    return error(make_reply(454, "4.7.0", "TLS is not available here (RFC 3207 section 4)"));
  if (!esmtp_) return error(make_reply(503, "5.5.1", "Send EHLO first (RFC 3207 section 4)"));
  if (!unread().empty())
    return close_with(make_reply(501,
                                 "5.5.1",
                                 "Bytes came behind STARTTLS before TLS was on; wait for 220 "
                                 "(RFC 3207 section 4). Closing the connection"));
  reset_transaction();
  say(make_reply(220, "2.0.0", "Begin TLS"));
  flush();
  ask(Question::tls, StartTls{});
}

}  // namespace tapal::smtp
