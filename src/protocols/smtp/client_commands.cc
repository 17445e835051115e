#include "protocols/smtp/client_commands.h"

#include <algorithm>

#include <fmt/format.h>

#include "protocols/smtp/xtext.h"
#include "values/text/ascii.h"

namespace tapal::smtp::client {

namespace {

constexpr std::size_t envelope_id_bytes_max = 100;  // RFC 3461 section 4.4, encoded
constexpr std::size_t original_bytes_max = 500;     // RFC 3461 section 4.2, encoded

bool needs_utf8(const Transaction& transaction) {
  const mail::Envelope& envelope = transaction.envelope;
  return transaction.needs.utf8_header ||
         (envelope.return_path && !envelope.return_path->is_ascii()) ||
         std::ranges::any_of(envelope.recipients, [](const mail::Recipient& recipient) {
           return !recipient.address.is_ascii();
         });
}

std::string_view body_parameter(const ContentNeeds& needs) {
  if (needs.binary) return " BODY=BINARYMIME";
  return needs.eight_bit || needs.utf8_header ? " BODY=8BITMIME" : "";
}

void append_dsn(std::string& line, const mail::Envelope& envelope) {
  if (envelope.return_content == mail::ReturnContent::full) line += " RET=FULL";
  if (envelope.return_content == mail::ReturnContent::headers) line += " RET=HDRS";
  const std::string id = encode_xtext(envelope.envelope_id);
  if (!id.empty() && id.size() <= envelope_id_bytes_max) line += " ENVID=" + id;
}

std::string notify_value(const mail::Notify& notify) {
  if (notify.never) return "NEVER";
  std::string value;
  const auto add = [&](bool wanted, std::string_view word) {
    if (!wanted) return;
    if (!value.empty()) value += ',';
    value += word;
  };
  add(notify.success, "SUCCESS");
  add(notify.failure, "FAILURE");
  add(notify.delay, "DELAY");
  return value;
}

// "type;address". What has not this form, or cannot be said within the bounds, is left out: the
// parameter is a courtesy to the sender, no reason to fail. Beyond ASCII it would need the forms of
// RFC 6533 section 3, which few servers read.
std::string original_value(std::string_view original) {
  const std::size_t semicolon = original.find(';');
  if (semicolon == std::string_view::npos || semicolon == 0 || !text::is_ascii(original)) return {};
  const std::string_view type = original.substr(0, semicolon);
  const bool sound =
      std::ranges::all_of(type, [](char c) { return text::is_alnum(c) || c == '-'; });
  std::string value = fmt::format("{};{}", type, encode_xtext(original.substr(semicolon + 1)));
  return sound && value.size() <= original_bytes_max ? value : std::string();
}

}  // namespace

std::string mail_command(const Transaction& transaction, const ExtensionSet& peer) {
  const mail::Envelope& envelope = transaction.envelope;
  std::string line = "MAIL FROM:<";
  if (envelope.return_path) line += envelope.return_path->text();
  line += '>';
  if (peer.has(Extension::size)) line += fmt::format(" SIZE={}", transaction.body_bytes);
  if (peer.has(Extension::eight_bit_mime) || transaction.needs.binary)
    line += body_parameter(transaction.needs);
  if (peer.has(Extension::smtputf8) && needs_utf8(transaction)) line += " SMTPUTF8";
  if (envelope.require_tls) line += " REQUIRETLS";
  if (peer.has(Extension::dsn)) append_dsn(line, envelope);
  return line + "\r\n";
}

std::string rcpt_command(const mail::Recipient& recipient, const ExtensionSet& peer) {
  std::string line = "RCPT TO:<" + recipient.address.text() + ">";
  if (peer.has(Extension::dsn)) {
    if (!recipient.notify.is_default()) line += " NOTIFY=" + notify_value(recipient.notify);
    const std::string original = original_value(recipient.original);
    if (!original.empty()) line += " ORCPT=" + original;
  }
  return line + "\r\n";
}

}  // namespace tapal::smtp::client
