#include "values/mail/dsn.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "values/mail/content.h"
#include "values/mail/encoded_word.h"
#include "values/mail/grammar.h"
#include "values/mail/header.h"
#include "values/mail/message_id.h"
#include "values/mail/mime.h"
#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/utf8.h"

namespace tapal::mail {

namespace {

// A field's line cannot be folded within a word, so no value may come near 998 bytes.
constexpr std::size_t value_bytes_max = 900;
constexpr std::size_t subject_bytes_max = 120;

enum class Script : std::uint8_t { ascii, utf8 };

// One line that is safe in a field: controls become spaces, what the script lacks a question mark.
std::string plain(std::string_view text, Script script) {
  std::string line;
  while (!text.empty() && line.size() < value_bytes_max) {
    const std::size_t length = std::max<std::size_t>(text::utf8_length(text), 1);
    const std::string_view character = text.substr(0, length);
    const bool is_wide = !is_ascii_char(character.front());
    if (has_control(character)) {
      line += ' ';
    } else if (is_wide && (script == Script::ascii || length == 1)) {
      line += '?';
    } else {
      line += character;
    }
    text.remove_prefix(length);
  }
  return line;
}

// utf-8-addr-xtext of RFC 6533 section 3: for reports that must stay ASCII.
std::string address_xtext(std::string_view address) {
  std::string encoded;
  while (!address.empty()) {
    const std::size_t length = std::max<std::size_t>(text::utf8_length(address), 1);
    const char c = address.front();
    constexpr std::string_view reserved = "+=\\";
    if (length == 1 && c > ' ' && c < 0x7F && !reserved.contains(c)) {
      encoded += c;
    } else {
      // The character's number: the lead byte's low bits, then six of each byte that follows.
      const auto lead = static_cast<unsigned char>(c);
      std::uint32_t number = length == 1 ? lead : lead & (0x7FU >> length);
      for (const char next : address.substr(1, length - 1)) {
        number = number << 6U | (static_cast<unsigned char>(next) & 0x3FU);
      }
      encoded += fmt::format("\\x{{{:X}}}", number);
    }
    address.remove_prefix(length);
  }
  return encoded;
}

std::string typed_address(const Address& address, Script script) {
  if (address.is_ascii()) return "rfc822; " + address.text();
  return "utf-8; " + (script == Script::utf8 ? address.text() : address_xtext(address.text()));
}

std::string typed_original(std::string_view original, Script script) {
  const std::size_t type_end = original.find(';');
  if (type_end == std::string_view::npos) return "rfc822; " + plain(original, script);
  const std::string type = plain(original.substr(0, type_end), Script::ascii);
  const std::string_view address = text::trim(original.substr(type_end + 1));
  if (script == Script::ascii && !text::is_ascii(address)) {
    return fmt::format("{}; {}", type, address_xtext(address));
  }
  return fmt::format("{}; {}", type, plain(address, script));
}

std::string_view action_text(Action action) {
  switch (action) {
    case Action::failed: return "failed";
    case Action::delayed: return "delayed";
    case Action::delivered: return "delivered";
    case Action::relayed: return "relayed";
    case Action::expanded: return "expanded";
  }
  return "failed";
}

// The one word for a report about several recipients: the worst that happened.
Action worst_action(const DeliveryReport& report) {
  Action worst = Action::expanded;
  for (const RecipientReport& recipient : report.recipients) {
    worst = std::min(worst, recipient.action);
  }
  return report.recipients.empty() ? Action::failed : worst;
}

// RFC 3464 section 2: a block for the message, then one for each recipient.
std::string delivery_status(const DeliveryReport& report, Script script) {
  std::string status = field("Reporting-MTA", "dns; " + plain(report.host, Script::ascii));
  if (!report.envelope_id.empty()) {
    status += field("Original-Envelope-Id", plain(report.envelope_id, Script::ascii));
  }
  if (report.arrived) status += field("Arrival-Date", text::rfc5322_date(*report.arrived));
  for (const RecipientReport& recipient : report.recipients) {
    status += "\r\n";
    if (!recipient.original.empty()) {
      status += field("Original-Recipient", typed_original(recipient.original, script));
    }
    status += field("Final-Recipient", typed_address(recipient.recipient, script));
    status += field("Action", action_text(recipient.action));
    status += field("Status", plain(recipient.status, Script::ascii));
    if (!recipient.remote_mta.empty()) {
      status += field("Remote-MTA", "dns; " + plain(recipient.remote_mta, Script::ascii));
    }
    if (!recipient.reply.empty()) {
      status += field("Diagnostic-Code", "smtp; " + plain(recipient.reply, script));
    } else if (!recipient.reason.empty()) {
      status += field("Diagnostic-Code", "x-tapal; " + plain(recipient.reason, script));
    }
    if (recipient.last_attempt) {
      status += field("Last-Attempt-Date", text::rfc5322_date(*recipient.last_attempt));
    }
    if (recipient.will_retry_until && recipient.action == Action::delayed) {
      status += field("Will-Retry-Until", text::rfc5322_date(*recipient.will_retry_until));
    }
  }
  return status;
}

struct Advice {
  std::string_view status;  // its beginning, without the class; the first that fits holds
  std::string_view text;
};
// RFC 3463 section 3 gives the subjects.
constexpr std::array<Advice, 11> advices = {{
    {"1.8", "The receiving server does not accept your own address; tell whoever runs your mail."},
    {"1.7", "The receiving server does not accept your own address; tell whoever runs your mail."},
    {"1.", "Check the address for typing mistakes, or ask the recipient for the right one."},
    {"2.2", "The mailbox is full: tell the recipient in another way and send again later."},
    {"2.3", "The message is too large: send a smaller one, or a link to the large parts."},
    {"3.4", "The message is too large: send a smaller one, or a link to the large parts."},
    {"2.", "The mailbox takes no mail now: tell the recipient in another way."},
    {"4.",
     "Check the part after the @. If it is right, send again later, or tell the recipient "
     "that the mail server there cannot be reached."},
    {"6.",
     "The message has a form that the receiving server cannot take: send it in another, "
     "for example without unusual characters in addresses."},
    {"7.",
     "The receiving side refuses the message by its own rules: ask the postmaster there, "
     "and enclose this report."},
    {"", "Ask the postmaster of the receiving side, and enclose this report."},
}};

std::string_view advice_for(const RecipientReport& recipient) {
  const std::string_view status = recipient.status;
  const std::string_view subject = status.size() > 2 ? status.substr(2) : std::string_view();
  for (const Advice& advice : advices) {
    if (subject.starts_with(advice.status)) return advice.text;
  }
  return advices.back().text;
}

std::string what_happened(const RecipientReport& recipient) {
  if (recipient.reply.empty()) return plain(recipient.reason, Script::utf8);
  const std::string who = recipient.remote_mta.empty() ? std::string("The receiving server")
                                                       : plain(recipient.remote_mta, Script::ascii);
  return fmt::format("{} said: {}", who, plain(recipient.reply, Script::utf8));
}

std::string recipient_text(const RecipientReport& recipient) {
  std::string text = fmt::format("<{}>\r\n", recipient.recipient.text());
  const std::string happened = what_happened(recipient);
  const auto line = [&](std::string_view more) { text += fmt::format("  {}\r\n", more); };
  switch (recipient.action) {
    case Action::failed:
      line("was not delivered, and will not be tried again.");
      if (!happened.empty()) line(happened);
      line(fmt::format("What to do: {}", advice_for(recipient)));
      break;
    case Action::delayed:
      line("has not been delivered yet. You need not send it again.");
      if (!happened.empty()) line(happened);
      if (recipient.will_retry_until) {
        line(fmt::format("It will be tried until {}.",
                         text::rfc5322_date(*recipient.will_retry_until)));
      }
      break;
    case Action::delivered: line("was delivered."); break;
    case Action::relayed:
      line("was passed on to a server that sends no such reports; you may hear no more.");
      break;
    case Action::expanded: line("was passed on to several addresses."); break;
  }
  return text;
}

std::string shown_subject(const DeliveryReport& report) {
  const std::string subject = plain(decode_encoded_words(report.original_subject), Script::utf8);
  return std::string(text::utf8_prefix(subject, subject_bytes_max));
}

std::string human_text(const DeliveryReport& report) {
  std::string text = fmt::format("This is the mail server {}.\r\n\r\n", report.host);
  const std::string subject = shown_subject(report);
  text +=
      subject.empty() ? std::string("Your message") : fmt::format("Your message \"{}\"", subject);
  if (report.arrived) text += fmt::format(" of {}", text::rfc5322_date(*report.arrived));
  text += " to\r\n";
  for (const RecipientReport& recipient : report.recipients) {
    text.append("\r\n").append(recipient_text(recipient));
  }
  return text;
}

ContentFacts facts_of(std::string_view bytes) {
  ContentScanner scanner;
  scanner.on_bytes(bytes);
  return scanner.finish();
}

bool is_well_formed(const ContentFacts& facts) {
  return !facts.has_nul && !facts.has_bare_cr && !facts.has_bare_lf &&
         facts.longest_line <= HeaderLimits{}.line_bytes_max;
}

// What of the original goes along, and what that asks of the report.
struct Returned {
  Part part;
  bool has_8bit = false;
  bool needs_smtputf8 = false;
};

Returned returned_part(const DeliveryReport& report) {
  const ContentFacts facts = facts_of(report.original);
  const bool is_utf8_header = facts.header_has_8bit && report.original_smtputf8;
  Returned returned;
  const auto fill = [&](std::string_view type, std::string_view encoding, std::string body) {
    returned.part.fields = field("Content-Type", type);
    if (!encoding.empty()) returned.part.fields += field("Content-Transfer-Encoding", encoding);
    returned.part.body = std::move(body);
  };
  if (report.returned == ReturnContent::full && is_well_formed(facts) &&
      facts.header_has_8bit == is_utf8_header) {
    returned.has_8bit = facts.header_has_8bit || facts.body_has_8bit;
    returned.needs_smtputf8 = is_utf8_header;
    // RFC 6533 section 5, RFC 2046 section 5.2.1: no encoding but 8bit for either.
    fill(is_utf8_header ? "message/global" : "message/rfc822",
         returned.has_8bit ? "8bit" : "",
         std::string(report.original));
    return returned;
  }
  std::string header(report.original.substr(0, facts.header_bytes));
  if (!is_well_formed(facts_of(header)) || facts.header_has_8bit != is_utf8_header) {
    fill("text/rfc822-headers; charset=utf-8", "quoted-printable", quoted_printable(header));
  } else if (is_utf8_header) {
    returned.has_8bit = returned.needs_smtputf8 = true;
    fill("message/global-headers; charset=utf-8", "8bit", std::move(header));
  } else {
    fill("text/rfc822-headers", "", std::move(header));
  }
  return returned;
}

std::string subject_of(const DeliveryReport& report) {
  const auto about = [&]() -> std::string_view {
    switch (worst_action(report)) {
      case Action::failed: return "Not delivered";
      case Action::delayed: return "Delayed";
      case Action::delivered: return "Delivered";
      case Action::relayed: return "Passed on";
      case Action::expanded: break;
    }
    return "Passed on";
  }();
  const std::string subject = shown_subject(report);
  return fmt::format("{}: {}", about, subject.empty() ? "your message" : subject);
}

std::string report_fields(const DeliveryReport& report, const ReportMessage& message) {
  std::string fields = field("Date", text::rfc5322_date(report.now));
  fields += field("From", fmt::format("Mail Delivery System <MAILER-DAEMON@{}>", report.host));
  fields += field("To", fmt::format("<{}>", report.to.text()));
  fields += field("Subject", encode_unstructured(message.subject));
  fields += field("Message-ID", report.message_id);
  if (is_message_id(report.original_message_id) &&
      (message.smtputf8 || text::is_ascii(report.original_message_id))) {
    fields += field("In-Reply-To", report.original_message_id);
    fields += field("References", report.original_message_id);
  }
  fields += field("Auto-Submitted", "auto-replied");  // RFC 3834 section 5
  fields += field("MIME-Version", "1.0");
  fields += field("Content-Type",
                  fmt::format("multipart/report; report-type=delivery-status{}",
                              parameter_text("boundary", report.boundary)));
  if (message.body != BodyType::seven_bit) fields += field("Content-Transfer-Encoding", "8bit");
  return fields;
}

}  // namespace

ReportMessage compose(const DeliveryReport& report) {
  Returned returned = returned_part(report);
  const bool has_utf8_address =
      std::ranges::any_of(report.recipients, [](const RecipientReport& recipient) {
        return !recipient.recipient.is_ascii() || !text::is_ascii(recipient.original);
      });
  ReportMessage message;
  message.smtputf8 = returned.needs_smtputf8 || !report.to.is_ascii() ||
                     (report.original_smtputf8 && has_utf8_address);
  message.subject = subject_of(report);
  const Script script = message.smtputf8 ? Script::utf8 : Script::ascii;
  Part status;
  status.body = delivery_status(report, script);
  const bool status_has_8bit = !text::is_ascii(status.body);
  status.fields =
      field("Content-Type",
            message.smtputf8 ? "message/global-delivery-status" : "message/delivery-status");
  if (status_has_8bit) status.fields += field("Content-Transfer-Encoding", "8bit");
  if (message.smtputf8 || status_has_8bit || returned.has_8bit) {
    message.body = BodyType::eight_bit_mime;
  }
  const std::array<Part, 3> parts = {
      text_part(human_text(report)), std::move(status), std::move(returned.part)};
  message.text = report_fields(report, message) + "\r\n" + multipart_body(parts, report.boundary);
  return message;
}

}  // namespace tapal::mail
