#include "protocols/smtp/command.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/ip_address.h"
#include "protocols/smtp/parameters.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::smtp {
namespace {

constexpr std::size_t domain_bytes_max = 255;    // RFC 5321 section 4.5.3.1.2
constexpr std::size_t label_bytes_max = 63;      // RFC 1035 section 2.3.4
constexpr std::size_t mechanism_bytes_max = 20;  // RFC 4422 section 3.1

struct VerbRow {
  std::string_view word;
  Verb verb;
};

// The foreign ones are methods of HTTP, which a browser can be made to send to our ports.
constexpr std::array verb_rows = {
    VerbRow{"MAIL", Verb::mail},        VerbRow{"RCPT", Verb::rcpt},
    VerbRow{"DATA", Verb::data},        VerbRow{"BDAT", Verb::bdat},
    VerbRow{"EHLO", Verb::ehlo},        VerbRow{"HELO", Verb::helo},
    VerbRow{"QUIT", Verb::quit},        VerbRow{"RSET", Verb::rset},
    VerbRow{"NOOP", Verb::noop},        VerbRow{"STARTTLS", Verb::starttls},
    VerbRow{"AUTH", Verb::auth},        VerbRow{"VRFY", Verb::vrfy},
    VerbRow{"EXPN", Verb::expn},        VerbRow{"HELP", Verb::help},
    VerbRow{"GET", Verb::foreign},      VerbRow{"POST", Verb::foreign},
    VerbRow{"PUT", Verb::foreign},      VerbRow{"HEAD", Verb::foreign},
    VerbRow{"CONNECT", Verb::foreign},  VerbRow{"OPTIONS", Verb::foreign},
    VerbRow{"DELETE", Verb::foreign},   VerbRow{"PATCH", Verb::foreign},
    VerbRow{"TRACE", Verb::foreign},    VerbRow{"PRI", Verb::foreign},
    VerbRow{"PROPFIND", Verb::foreign},
};

std::unexpected<Reply> refuse(int code, std::string_view status, std::string_view text) {
  return std::unexpected(make_reply(code, status, text));
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > label_bytes_max) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  for (const char c : label)
    if (!text::is_alnum(c) && c != '-' && c != '_') return false;
  return true;
}

// Underscores are no letters of host names, but machines with such names exist and RFC 5321
// section 4.1.4 forbids to refuse mail because of a doubtful EHLO name.
bool is_host_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > domain_bytes_max) return false;
  for (const std::string_view label : text::split(name, '.'))
    if (!is_label(label)) return false;
  return true;
}

bool is_address_literal(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
  text = text.substr(1, text.size() - 2);
  const bool is_v6 = text::starts_with_ignoring_case(text, "IPv6:");
  if (is_v6) text.remove_prefix(5);
  const auto address = IpAddress::from_text(text);
  // ::ffff:192.0.2.1 under the IPv6 tag reads as v4.
  return address.has_value() && is_v6 == (text.find(':') != std::string_view::npos);
}

// Takes "FROM:" or "TO:" and the blanks that many clients put behind it off `text`.
bool take_word(std::string_view& text, std::string_view word) {
  if (!text::starts_with_ignoring_case(text, word)) return false;
  text.remove_prefix(word.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

Reply needs_smtputf8() {
  return make_reply(553,
                    "5.6.7",
                    "An address that is not ASCII needs the parameter SMTPUTF8 of MAIL "
                    "(RFC 6531 section 3.4)");
}

}  // namespace

CommandLine split_command(std::string_view line) {
  const std::size_t space = line.find(' ');
  CommandLine command;
  command.word = line.substr(0, space);
  if (space != std::string_view::npos) {
    command.argument = line.substr(space + 1);
    while (command.argument.starts_with(' ')) command.argument.remove_prefix(1);
    while (command.argument.ends_with(' ')) command.argument.remove_suffix(1);
  }
  for (const VerbRow& row : verb_rows)
    if (text::equals_ignoring_case(row.word, command.word)) {
      command.verb = row.verb;
      break;
    }
  return command;
}

Parsed<std::string> parse_helo(std::string_view argument) {
  if (!is_host_name(argument) && !is_address_literal(argument))
    return refuse(501,
                  "5.5.4",
                  "Say your host name or your address as [192.0.2.1] or [IPv6:2001:db8::1] "
                  "(RFC 5321 section 4.1.1.1)");
  return std::string(argument);
}

Parsed<MailCommand> parse_mail(std::string_view argument, Extensions offered) {
  std::string_view text = argument;
  if (!take_word(text, "FROM:"))
    return refuse(501, "5.5.4", "The form is MAIL FROM:<address> (RFC 5321 section 4.1.1.2)");
  auto path = mail::parse_path(text);
  if (!path)
    return refuse(501,
                  "5.1.7",
                  fmt::format("The sender is malformed: {} (RFC 5321 section 4.1.2)",
                              text::printable(path.error().what, 300)));
  MailCommand command;
  if (auto refusal = apply_mail_parameters(path->rest, offered, command))
    return std::unexpected(*std::move(refusal));
  // Judged by what was written: a U-label has become an A-label by now.
  if (!command.envelope.smtputf8 && !text::is_ascii(argument))
    return std::unexpected(needs_smtputf8());
  command.envelope.return_path = std::move(path->address);
  return command;
}

Parsed<mail::Recipient> parse_rcpt(std::string_view argument, const RcptContext& context) {
  std::string_view text = argument;
  if (!take_word(text, "TO:"))
    return refuse(501, "5.5.4", "The form is RCPT TO:<address> (RFC 5321 section 4.1.1.3)");
  mail::Recipient recipient;
  std::string_view rest;
  constexpr std::string_view postmaster = "<postmaster>";
  if (text::equals_ignoring_case(text.substr(0, text.find(' ')), postmaster)) {
    recipient.address = {"postmaster", std::string(context.postmaster_domain)};
    rest = text.substr(postmaster.size());
  } else {
    auto path = mail::parse_path(text);
    if (!path)
      return refuse(501,
                    "5.1.3",
                    fmt::format("The recipient is malformed: {} (RFC 5321 section 4.1.2)",
                                text::printable(path.error().what, 300)));
    auto& [address, parameters] = *path;
    if (!address) return refuse(501, "5.1.3", "<> receives no mail (RFC 5321 section 4.1.1.3)");
    recipient.address = *std::move(address);
    rest = parameters;
  }
  if (auto refusal = apply_rcpt_parameters(rest, context, recipient))
    return std::unexpected(*std::move(refusal));
  if (!context.smtputf8 && !text::is_ascii(argument)) return std::unexpected(needs_smtputf8());
  return recipient;
}

Parsed<BdatCommand> parse_bdat(std::string_view argument) {
  const std::size_t space = argument.find(' ');
  const std::string_view number = argument.substr(0, space);
  const std::string_view rest =
      space == std::string_view::npos ? std::string_view() : text::trim(argument.substr(space));
  const auto bytes = text::to_number<std::uint64_t>(number);
  if (!bytes || (!rest.empty() && !text::equals_ignoring_case(rest, "LAST")))
    return refuse(501,
                  "5.5.4",
                  "The form is BDAT bytes [LAST] (RFC 3030 section 2); without the length the "
                  "next command cannot be found, so this connection closes");
  return BdatCommand{*bytes, !rest.empty()};
}

Parsed<AuthCommand> parse_auth(std::string_view argument) {
  const std::size_t space = argument.find(' ');
  const std::string_view mechanism = argument.substr(0, space);
  if (mechanism.empty())
    return refuse(501, "5.5.4", "The form is AUTH mechanism [response] (RFC 4954 section 4)");
  if (mechanism.size() > mechanism_bytes_max)
    return refuse(501, "5.5.4", "No mechanism has so long a name (RFC 4422 section 3.1)");
  AuthCommand command;
  command.mechanism = text::to_upper(mechanism);
  if (space == std::string_view::npos) return command;
  std::string_view response = argument.substr(space);
  while (response.starts_with(' ')) response.remove_prefix(1);
  // "=" is how an empty first response is written (RFC 4954 section 4).
  auto decoded = response == "=" ? Result<std::string>("") : text::from_base64(response);
  if (!decoded) return refuse(501, "5.5.2", "The response is not base64 (RFC 4954 section 4)");
  command.initial_response = *std::move(decoded);
  return command;
}

}  // namespace tapal::smtp
