// Command lines of SMTP and their arguments, checked. A refusal is the reply to give, which names
// the rule that was broken.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/smtp/extensions.h"
#include "protocols/smtp/reply.h"
#include "values/mail/envelope.h"

namespace tapal::smtp {

enum class Verb : std::uint8_t {
  helo,
  ehlo,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  quit,
  vrfy,
  expn,
  help,
  starttls,
  auth,
  foreign,  // another protocol's: GET, POST, CONNECT, …
  unknown,
};

// Views into the line given to split_command().
struct CommandLine {
  Verb verb = Verb::unknown;
  std::string_view word;
  std::string_view argument;  // without the blanks around it
};

// `line` comes without its CRLF.
CommandLine split_command(std::string_view line);

template <class T>
using Parsed = std::expected<T, Reply>;

// The name of HELO and EHLO: a domain, with underscores tolerated, or an address literal
// (RFC 5321 section 4.1.1.1).
Parsed<std::string> parse_helo(std::string_view argument);

struct MailCommand {
  mail::Envelope envelope;                      // without recipients
  std::optional<std::uint64_t> declared_bytes;  // SIZE=, RFC 1870
  std::optional<std::string> authorized_as;     // AUTH=, RFC 4954 section 5: decoded, "" is <>
};
// "FROM:<…> parameters"; a parameter of an extension that is not `offered` is unknown (555 5.5.4).
Parsed<MailCommand> parse_mail(std::string_view argument, Extensions offered);

struct RcptContext {
  Extensions offered;
  bool smtputf8 = false;               // MAIL had SMTPUTF8
  std::string_view postmaster_domain;  // for "<postmaster>" (RFC 5321 section 4.1.1.3)
};
Parsed<mail::Recipient> parse_rcpt(std::string_view argument, const RcptContext& context);

struct BdatCommand {
  std::uint64_t bytes = 0;
  bool last = false;
};
Parsed<BdatCommand> parse_bdat(std::string_view argument);

struct AuthCommand {
  std::string mechanism;                        // upper case
  std::optional<std::string> initial_response;  // decoded
};
Parsed<AuthCommand> parse_auth(std::string_view argument);

}  // namespace tapal::smtp
