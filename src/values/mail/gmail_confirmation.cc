#include "values/mail/gmail_confirmation.h"

#include <algorithm>
#include <array>

#include "values/mail/address.h"
#include "values/mail/encoded_word.h"
#include "values/mail/header.h"
#include "values/mail/loose_parts.h"
#include "values/text/ascii.h"

namespace tapal::mail {
namespace {

constexpr std::size_t link_bytes_max = 1000;
constexpr std::size_t code_digits_min = 6;
constexpr std::size_t code_digits_max = 12;

std::optional<GmailConfirmation::Kind> sender_of(const HeaderFields& fields) {
  using Kind = GmailConfirmation::Kind;
  const auto* from = fields.find("From");
  if (from == nullptr || fields.count("From") != 1) return {};
  const auto authors = parse_mailbox_list(from->body, 2);
  if (!authors || authors->size() != 1) return {};
  const auto author = authors->front().address.key();
  if (author == "gmail-noreply@google.com") return Kind::send_as;
  if (author == "forwarding-noreply@google.com") return Kind::forwarding;
  return {};
}

// The text parts of a message, one after the other.
std::string texts_of(std::string_view message) {
  std::string all;
  for (const LoosePart& part : loose_parts(message)) {
    if (part.type.starts_with("text/")) all += part.text + "\n";
  }
  return all;
}

std::string digits_at(std::string_view text, std::size_t at) {
  const auto end = std::ranges::find_if_not(text.substr(at), text::is_digit);
  const auto digits = text.substr(at, static_cast<std::size_t>(end - text.substr(at).begin()));
  const bool is_code = digits.size() >= code_digits_min && digits.size() <= code_digits_max;
  return is_code ? std::string(digits) : std::string();
}

// "... code: 123456789", the last thing on its line, whatever the words before it.
std::string code_in(std::string_view text) {
  for (const auto line : text::split(text, '\n')) {
    const auto colon = line.rfind(": ");
    if (colon == line.npos) continue;
    const auto last = text::trim(line.substr(colon + 1));
    const auto code = digits_at(last, 0);
    if (!code.empty() && code.size() == last.size()) return code;
  }
  return {};
}

// "uf-" and "u-" in their place revoke.
std::string link_in(std::string_view text) {
  constexpr std::array<std::string_view, 4> beginnings{"https://mail.google.com/mail/f-",
                                                       "https://mail.google.com/mail/vf-",
                                                       "https://mail-settings.google.com/mail/f-",
                                                       "https://mail-settings.google.com/mail/vf-"};
  const auto belongs = [](char c) {
    return c > ' ' && c < '\x7F' && !std::string_view("<>\"'\\`").contains(c);
  };
  for (const auto beginning : beginnings) {
    const auto at = text.find(beginning);
    if (at == text.npos) continue;
    const auto rest = text.substr(at, link_bytes_max);
    return {rest.begin(), std::ranges::find_if_not(rest, belongs)};
  }
  return {};
}

}  // namespace

std::optional<GmailConfirmation> read_gmail_confirmation(std::string_view message) {
  if (message.size() > gmail_confirmation_bytes_max) return {};
  const auto fields = HeaderFields::parse(message);
  if (!fields) return {};
  const auto kind = sender_of(*fields);
  if (!kind) return {};
  const auto subject = decode_encoded_words(fields->body_of("Subject"));
  const auto text = texts_of(message);
  GmailConfirmation confirmation{*kind, {}, link_in(text)};
  if (const auto mark = subject.find("(#"); mark != subject.npos)
    confirmation.code = digits_at(subject, mark + 2);
  if (confirmation.code.empty()) confirmation.code = code_in(text);
  if (confirmation.code.empty() && confirmation.link.empty()) return {};
  return confirmation;
}

}  // namespace tapal::mail
