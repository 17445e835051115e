#include "rules/bounce/notice.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "rules/bounce/classify.h"
#include "values/mail/dsn.h"
#include "values/mail/message_id.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"
#include "values/text/utf8.h"

namespace tapal::bounce {

namespace {

using queue::RecipientState;
using queue::State;

constexpr std::size_t subject_bytes_max = 200;  // of queue::Message

// Why a failure is told to nobody; empty: it is told.
std::string_view why_untold(const queue::Message& message, const RecipientState& recipient) {
  if (!message.envelope.return_path) return "it has the null sender (RFC 5321 section 4.5.5)";
  if (!message.origin.authenticated) {
    return "nobody authenticated it, so its sender may be forged";
  }
  if (!recipient.recipient.notify.wants_failure())
    return "its sender asked not to be told (NOTIFY)";
  return {};
}

bool may_be_told(const queue::Message& message) {
  return message.envelope.return_path.has_value() && message.origin.authenticated;
}

bool is_delay_due(const queue::Message& message,
                  const RecipientState& recipient,
                  WallTime now,
                  const NoticePolicy& policy) {
  return recipient.state == State::waiting && !recipient.sender_told_of_delay &&
         recipient.recipient.notify.wants_delay() && policy.delay_notice.count() > 0 &&
         now - message.arrived >= policy.delay_notice;
}

// The name alone of "mx.example.com [2001:db8::1]:25"; a socket here is nobody's business.
std::string remote_name(std::string_view remote) {
  if (remote.starts_with("unix:")) return {};
  return std::string(remote.substr(0, remote.find(' ')));
}

// Where an outcome has the reply of a peer, its text begins with the code.
bool is_reply(const queue::Outcome& outcome) {
  const std::string_view code = std::string_view(outcome.text).substr(0, 3);
  return !outcome.remote.empty() && code.size() == 3 && std::ranges::all_of(code, text::is_digit);
}

mail::Action action_of(const RecipientState& recipient) {
  if (recipient.state == State::failed) return mail::Action::failed;
  if (recipient.state != State::delivered) return mail::Action::delayed;
  // What left by SMTP may still fail further on; what has no peer, or one that speaks LMTP, lies in
  // a mailbox.
  const bool has_arrived = recipient.last.remote.empty() ||
                           recipient.recipient.handover.kind == mail::Handover::Kind::lmtp;
  return has_arrived ? mail::Action::delivered : mail::Action::relayed;
}

std::string status_for(mail::Action action, const std::string& status) {
  const bool has_status = status.size() >= 5;
  if (action == mail::Action::delayed) return has_status && status[0] == '4' ? status : "4.0.0";
  if (action != mail::Action::failed) return has_status && status[0] == '2' ? status : "2.0.0";
  if (has_status && status[0] == '4') return status_at_give_up(status);
  return has_status && status[0] == '5' ? status : "5.0.0";
}

mail::RecipientReport report_on(const queue::Message& message,
                                const RecipientState& recipient,
                                const NoticePolicy& policy) {
  mail::RecipientReport report;
  report.recipient = recipient.recipient.address;
  report.original = recipient.recipient.original;
  report.action = action_of(recipient);
  report.status = status_for(report.action, recipient.last.status);
  report.remote_mta = remote_name(recipient.last.remote);
  (is_reply(recipient.last) ? report.reply : report.reason) = recipient.last.text;
  report.last_attempt = recipient.last_attempt;
  report.will_retry_until = message.arrived + policy.give_up;
  return report;
}

}  // namespace

DueNotices due_notices(const queue::Message& message, WallTime now, const NoticePolicy& policy) {
  DueNotices due;
  const bool is_told = may_be_told(message);
  for (std::size_t i = 0; i < message.recipients.size(); ++i) {
    const RecipientState& recipient = message.recipients[i];
    if (is_told && is_delay_due(message, recipient, now, policy)) due.delays.push_back(i);
    if (recipient.sender_told) continue;
    if (recipient.state == State::failed) {
      if (const auto reason = why_untold(message, recipient); !reason.empty()) {
        due.untold.push_back({i, reason});
      } else {
        due.outcomes.push_back(i);
      }
    } else if (recipient.state == State::delivered && is_told &&
               recipient.recipient.notify.success) {
      due.outcomes.push_back(i);
    }
  }
  return due;
}

mail::ReturnContent content_to_return(const queue::Message& message,
                                      const std::vector<std::size_t>& recipients,
                                      const NoticePolicy& policy) {
  const bool has_failure = std::ranges::any_of(
      recipients, [&](std::size_t i) { return message.recipients.at(i).state == State::failed; });
  const bool is_full = has_failure &&
                       message.envelope.return_content == mail::ReturnContent::full &&
                       message.body_bytes <= policy.returned_bytes_max;
  return is_full ? mail::ReturnContent::full : mail::ReturnContent::headers;
}

Notice make_notice(const queue::Message& message,
                   const NoticeInput& input,
                   const NoticePolicy& policy) {
  mail::DeliveryReport report;
  report.host = input.host;
  if (!message.envelope.return_path) throw std::logic_error("a notice to the null sender");
  report.to = *message.envelope.return_path;
  report.now = input.now;
  report.message_id = mail::make_message_id(input.random_bytes, input.host);
  report.boundary = fmt::format("=_{}", text::to_hex(input.random_bytes));
  report.envelope_id = message.envelope.envelope_id;
  report.arrived = message.arrived;
  report.original_subject = message.subject;
  report.original_message_id = message.message_id;
  for (const std::size_t i : input.recipients) {
    report.recipients.push_back(report_on(message, message.recipients.at(i), policy));
  }
  report.returned = input.returned;
  report.original = input.original;
  report.original_smtputf8 = message.envelope.smtputf8;
  mail::ReportMessage composed = mail::compose(report);

  Notice notice;
  notice.text = std::move(composed.text);
  notice.message.id = input.id;
  notice.message.arrived = input.now;
  notice.message.origin.kind = queue::Origin::Kind::notice;
  notice.message.envelope.body = composed.body;
  notice.message.envelope.smtputf8 = composed.smtputf8;
  // RFC 8689 section 5: a notice about such a message is protected as it was.
  notice.message.envelope.require_tls = message.envelope.require_tls;
  RecipientState recipient;
  recipient.recipient.address = report.to;
  recipient.next_attempt = input.now;
  notice.message.recipients.push_back(std::move(recipient));
  notice.message.body_bytes = notice.text.size();
  notice.message.subject = text::utf8_prefix(composed.subject, subject_bytes_max);
  notice.message.message_id = std::move(report.message_id);
  return notice;
}

}  // namespace tapal::bounce
