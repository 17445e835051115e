#include "rules/bounce/returned_mail.h"

#include <algorithm>
#include <array>

#include "rules/bounce/delivery_report.h"
#include "rules/bounce/notice_text.h"
#include "values/mail/loose_parts.h"
#include "values/text/ascii.h"

namespace tapal::bounce {
namespace {

template <std::size_t Count>
bool has_any(std::string_view text, const std::array<std::string_view, Count>& words) {
  return std::ranges::any_of(words, [text](std::string_view word) { return text.contains(word); });
}

// Separated as in To or X-Failed-Recipients; display names are left out.
std::vector<std::string> addresses_in(std::string_view field) {
  std::vector<std::string> found;
  std::string word;
  const auto take = [&] {
    if (word.contains('@') && found.size() < returned_max) found.push_back(word);
    word.clear();
  };
  for (const char c : field) {
    if (std::string_view("<>,; \t()\"").contains(c))
      take();
    else
      word += c;
  }
  take();
  return found;
}

// What a notice consists of, taken apart.
struct NoticeParts {
  std::string text;      // what people are to read, one part after the other
  std::string report;    // the part for programs, or the text where the fields stand in it
  std::string original;  // the header of the returned message
  bool is_complaint = false;
};

NoticeParts parts_of(std::string_view message) {
  NoticeParts parts;
  for (mail::LoosePart& part : mail::loose_parts(message)) {
    if (part.type == "message/feedback-report") parts.is_complaint = true;
    if (part.type.ends_with("delivery-status")) {
      parts.report += part.text + "\r\n\r\n";
    } else if (part.type == "message/rfc822" || part.type == "text/rfc822-headers" ||
               part.type == "message/global" || part.type == "message/global-headers") {
      if (parts.original.empty()) parts.original = std::move(part.text);
    } else if (part.type != "text/html" && parts.original.empty()) {
      parts.text += part.text + "\r\n";
    }
  }
  return parts;
}

constexpr std::array<std::string_view, 11> absent_words{"auto reply",
                                                        "autoreply",
                                                        "auto-reply",
                                                        "automatic reply",
                                                        "out of office",
                                                        "out of the office",
                                                        "away from",
                                                        "away until",
                                                        "vacation",
                                                        "abwesen",
                                                        "absence"};
constexpr std::array<std::string_view, 5> complaint_words{"abuse report",
                                                          "complaint about",
                                                          "email feedback report",
                                                          "abuse complaint",
                                                          "authentication failure report"};
constexpr std::array<std::string_view, 9> delay_words{"warning message only",
                                                      "has been delayed",
                                                      "not yet been delivered",
                                                      "will be retried",
                                                      "delivery status notification (delay)",
                                                      "delayed mail",
                                                      "delivery delayed",
                                                      "will continue trying",
                                                      "still being retried"};
constexpr std::array<std::string_view, 9> machine_names{"mailer-daemon",
                                                        "postmaster",
                                                        "mail delivery",
                                                        "mailerdaemon",
                                                        "mail-daemon",
                                                        "microsoftexchange",
                                                        "mdaemon",
                                                        "bounce",
                                                        "mailadm"};
constexpr std::array<std::string_view, 20> notice_words{
    "undeliver",          "not deliver",  "deliver",      "failure",      "failed",
    "returned mail",      "returning",    "could not be", "notification", "non remis",
    "nicht zugestellt",   "unzustellbar", "error",        "bounce",       "mail system",
    "returned to sender", "delayed",      "not member",   "not a member", "rcpt to:<"};

std::string lower_field(std::string_view message, std::string_view name) {
  return text::to_lower(mail::loose_field(message, name));
}

// What people do not write above their own words.
constexpr std::array<std::string_view, 13> notice_subjects{"undeliver",
                                                           "not be delivered",
                                                           "delivery status",
                                                           "delivery notification",
                                                           "delivery fail",
                                                           "failed delivery",
                                                           "failure delivery",
                                                           "delivery has failed",
                                                           "failure notice",
                                                           "returned mail",
                                                           "returning message",
                                                           "returned to sender",
                                                           "mail delivery"};

bool is_notice(std::string_view message, std::string_view text) {
  if (!mail::loose_field(message, "X-Failed-Recipients").empty()) return true;
  const auto from = lower_field(message, "From");
  const auto subject = lower_field(message, "Subject");
  if (has_any(subject, notice_subjects)) return true;
  const bool is_machine = has_any(from, machine_names) ||
                          lower_field(message, "Return-Path") == "<>" ||
                          lower_field(message, "Auto-Submitted").starts_with("auto-generated");
  return is_machine && (has_any(subject, notice_words) ||
                        has_any(text::to_lower(text.substr(0, said_bytes_max)), notice_words));
}

NoticeKind kind_of(std::string_view message, const NoticeParts& parts, bool has_report) {
  const auto subject = lower_field(message, "Subject");
  const auto type = lower_field(message, "Content-Type");
  if (parts.is_complaint || type.contains("feedback-report")) return NoticeKind::complaint;
  if (has_report) return NoticeKind::bounce;
  const auto begin = text::to_lower(std::string_view(parts.text).substr(0, 300));
  if (has_any(subject, complaint_words) || has_any(begin, complaint_words))
    return NoticeKind::complaint;
  const bool is_automatic = lower_field(message, "Auto-Submitted").starts_with("auto-replied");
  if (has_any(subject, absent_words) || (is_automatic && !is_notice(message, "")))
    return NoticeKind::auto_reply;
  return is_notice(message, parts.text) ? NoticeKind::bounce : NoticeKind::none;
}

Fate fate_of(std::string_view action) {
  if (action.starts_with("delayed")) return Fate::delayed;
  const bool is_there = action.starts_with("delivered") || action.starts_with("relayed") ||
                        action.starts_with("expanded") || action.starts_with("deliverable");
  return is_there ? Fate::delivered : Fate::failed;
}

// The refusal that `said` tells of. A failure is final, whatever class the last reply had.
Returned judged(std::string recipient,
                Fate fate,
                std::string_view status,
                std::string said,
                const BounceRules& rules) {
  Returned returned;
  returned.recipient = std::move(recipient);
  returned.fate = fate;
  returned.diagnosis = rules.diagnose({code_told(said), status, said, phase_told(said)});
  returned.diagnosis.is_hard = fate == Fate::failed && row_of(returned.diagnosis.category).is_hard;
  returned.said = std::move(said);
  return returned;
}

class NoticeReader {
 public:
  NoticeReader(std::string_view message, const NoticeParts& parts, const BounceRules& rules)
      : message_(message), parts_(parts), rules_(rules), lines_(told_lines(parts.text)) {
    const auto not_about = addresses_in(mail::loose_field(message, "To"));
    told_ = told_recipients(lines_, not_about);
    // What looked like the returned message may be the notice of a third server.
    if (told_.empty()) told_ = told_recipients(all_lines(parts.text), not_about);
  }

  std::vector<Returned> by_report(const std::vector<ReportedRecipient>& reported) {
    std::vector<Returned> all;
    all.reserve(reported.size());
    for (const ReportedRecipient& one : reported) all.push_back(of_reported(one));
    return all;
  }

  std::vector<Returned> by_text() {
    const auto subject = lower_field(message_, "Subject");
    const auto words = text::to_lower(joined(lines_)) + " " + subject;
    const auto fate = has_any(words, delay_words) ? Fate::delayed : Fate::failed;
    std::vector<Returned> all;
    for (const std::string& recipient :
         addresses_in(mail::loose_field(message_, "X-Failed-Recipients")))
      all.push_back(judged(recipient, fate, "", said_of(recipient), rules_));
    if (!all.empty()) return all;
    for (const ToldRecipient& one : told_) {
      auto returned = judged(one.recipient, fate, "", one.said, rules_);
      // The reason may stand before the address.
      if (returned.diagnosis.category == Category::other)
        returned = judged(one.recipient, fate, "", joined(lines_), rules_);
      all.push_back(std::move(returned));
    }
    if (!all.empty()) return all;
    const auto original = addresses_in(mail::loose_field(parts_.original, "To"));
    all.push_back(judged(original.size() == 1 ? original.front() : "",
                         fate,
                         "",
                         joined(lines_) + " " + mail::loose_field(message_, "Subject"),
                         rules_));
    return all;
  }

 private:
  // What the words say of a recipient; all they say where they do not name it.
  std::string said_of(std::string_view recipient) const {
    const auto found = std::ranges::find_if(told_, [recipient](const ToldRecipient& one) {
      return text::equals_ignoring_case(one.recipient, recipient);
    });
    return found == told_.end() ? joined(lines_) : found->said;
  }

  // The words for people help where the fields for programs say nothing.
  Returned of_reported(const ReportedRecipient& one) {
    const auto fate = fate_of(one.action);
    auto recipient = one.recipient;
    if (recipient.empty() && told_.size() == 1) recipient = told_.front().recipient;
    auto returned = judged(recipient, fate, one.status, one.diagnostic, rules_);
    const bool tells =
        one.diagnostic.contains(' ') && returned.diagnosis.category != Category::other;
    if (tells || fate == Fate::delivered) return returned;
    auto by_words = judged(recipient, fate, one.status, said_of(recipient), rules_);
    return by_words.diagnosis.category == Category::other ? returned : by_words;
  }

  std::string_view message_;
  const NoticeParts& parts_;
  const BounceRules& rules_;
  std::vector<std::string_view> lines_;
  std::vector<ToldRecipient> told_;
};

}  // namespace

std::string_view text_of(Fate fate) {
  switch (fate) {
    case Fate::failed: return "failed";
    case Fate::delayed: return "delayed";
    case Fate::delivered: break;
  }
  return "delivered";
}

std::string_view text_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::bounce: return "bounce";
    case NoticeKind::complaint: return "complaint";
    case NoticeKind::auto_reply: return "auto_reply";
    case NoticeKind::none: break;
  }
  return "no_notice";
}

ReturnedMail read_returned_mail(std::string_view message, const BounceRules& rules) {
  message = message.substr(0, notice_bytes_max);
  const NoticeParts parts = parts_of(message);
  auto reported = reported_recipients(parts.report, returned_max);
  if (reported.empty()) reported = reported_recipients(parts.text, returned_max);
  ReturnedMail mail;
  mail.kind = kind_of(message, parts, !reported.empty());
  if (mail.kind != NoticeKind::bounce) return mail;
  NoticeReader reader(message, parts, rules);
  mail.returned = reported.empty() ? reader.by_text() : reader.by_report(reported);
  return mail;
}

}  // namespace tapal::bounce
