// The words behind `sendmail`, and the message it was given.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "app/sendmail/sendmail.h"
#include "values/mail/address.h"
#include "values/mail/header.h"
#include "values/mail/unix_message.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

using Mode = SendmailOptions::Mode;

// Letters with a value, in the same word or the next, as Postfix's and Exim's have them.
constexpr std::string_view with_value = "ABCDFLNORVXbefhopr";
// Letters that take the rest of their word, which may be nothing.
constexpr std::string_view with_rest = "dq";

Result<void> set_mode(std::string_view value, SendmailOptions& options) {
  if (value == "m") return {};  // the default
  if (value == "s")
    options.mode = Mode::smtp;
  else if (value == "p")
    options.mode = Mode::list_queue;
  else if (value == "i")
    options.mode = Mode::rebuild_aliases;
  else
    return fail(
        Code::invalid,
        fmt::format("-b{}: tapal runs as a service (`systemctl start tapal`); here it knows "
                    "-bm, -bs, -bp and -bi",
                    text::printable(value, 40)));
  return {};
}

Result<void> set(char letter, std::string_view value, SendmailOptions& options) {
  switch (letter) {
    case 'b': return set_mode(value, options);
    case 'f':
    case 'r':
      value = text::trim(value);
      if (value.starts_with('<') && value.ends_with('>')) value = value.substr(1, value.size() - 2);
      options.sender = value;
      break;
    case 'F': options.full_name = value; break;
    case 'i': options.dot_is_text = true; break;
    case 'I': options.mode = Mode::rebuild_aliases; break;
    case 'o':
      if (value == "i") options.dot_is_text = true;
      break;
    case 'q': options.mode = Mode::retry_queue; break;
    case 't': options.recipients_in_header = true; break;
    default: break;  // of no meaning here
  }
  return {};
}

// A word such as "-ti" or "-fann@example.com"; `next` is the index of the word behind it.
Result<void> read_word(const std::vector<std::string>& words,
                       std::size_t& next,
                       SendmailOptions& options) {
  std::string_view rest = words[next++];
  rest.remove_prefix(1);
  while (!rest.empty()) {
    const char letter = rest.front();
    rest.remove_prefix(1);
    std::string_view value;
    if (with_value.contains(letter)) {
      value = std::exchange(rest, {});
      if (value.empty()) {
        if (next == words.size())
          return fail(Code::invalid, fmt::format("-{} needs a value", letter));
        value = words[next++];
      }
    } else if (with_rest.contains(letter)) {
      value = std::exchange(rest, {});
    }
    TAPAL_CHECK(set(letter, value, options));
  }
  return {};
}

// Names without a domain are the machine's; the server adds it.
Result<void> check_address(std::string_view address) {
  constexpr std::string_view any_domain = "@local.invalid";
  std::string whole(address);
  if (!address.contains('@')) whole += any_domain;
  const auto parsed = mail::parse_address(whole);
  if (!parsed)
    return fail(Code::invalid,
                fmt::format("{}: {}", text::printable(address, 100), parsed.error().what));
  return {};
}

Result<void> add_addresses(std::string_view list, queue::DroppedMail& mail) {
  for (const auto address : mail::address_texts(list)) {
    TAPAL_CHECK(check_address(address));
    if (std::ranges::find(mail.recipients, address) == mail.recipients.end())
      mail.recipients.emplace_back(address);
    if (mail.recipients.size() > queue::dropped_recipients_max)
      return fail(Code::invalid,
                  fmt::format("more than {} recipients", queue::dropped_recipients_max));
  }
  return {};
}

// A message that is sent on again goes to whom its Resent fields name (RFC 5322 section 3.6.6).
Result<void> add_from_header(queue::DroppedMail& mail) {
  TAPAL_TRY(const auto fields, mail::HeaderFields::parse(mail.message));
  constexpr std::string_view resent[] = {"Resent-To", "Resent-Cc", "Resent-Bcc"};
  constexpr std::string_view first_sent[] = {"To", "Cc", "Bcc"};
  const auto is_in = [](const mail::HeaderField& field, const auto& names) {
    return std::ranges::any_of(names, [&field](auto name) { return field.is(name); });
  };
  const bool is_resent =
      std::ranges::any_of(fields, [&](const auto& field) { return is_in(field, resent); });
  for (const auto& field : fields)
    if (is_resent ? is_in(field, resent) : is_in(field, first_sent)) {
      TAPAL_CHECK(add_addresses(field.body, mail));
    }
  return {};
}

}  // namespace

std::optional<Mode> sendmail_mode_of(std::string_view program) {
  const auto name = program.substr(program.rfind('/') + 1);
  if (name == "sendmail") return Mode::deliver;
  if (name == "mailq") return Mode::list_queue;
  if (name == "newaliases") return Mode::rebuild_aliases;
  return {};
}

Result<SendmailOptions> read_sendmail_options(Mode mode, const std::vector<std::string>& words) {
  SendmailOptions options{.mode = mode};
  std::size_t next = 0;
  while (next < words.size()) {
    const std::string_view word = words[next];
    if (word == "--") {
      ++next;
      break;
    }
    if (!word.starts_with('-') || word.size() < 2) {
      options.recipients.push_back(words[next++]);
    } else if (word.starts_with("--")) {
      return fail(Code::invalid, fmt::format("unknown option {}", text::printable(word, 40)));
    } else {
      TAPAL_CHECK(read_word(words, next, options));
    }
  }
  options.recipients.insert(
      options.recipients.end(), words.begin() + static_cast<std::ptrdiff_t>(next), words.end());
  return options;
}

Result<queue::DroppedMail> sendmail_mail(const SendmailOptions& options, std::string_view text) {
  queue::DroppedMail mail{.sender = options.sender,
                          .recipients = {},
                          .full_name = options.full_name,
                          .message = mail::from_unix_message(text)};
  if (options.sender && !options.sender->empty()) {
    TAPAL_CHECK(check_address(*options.sender));
  }
  for (const auto& word : options.recipients) {
    TAPAL_CHECK(add_addresses(word, mail));
  }
  if (options.recipients_in_header) {
    TAPAL_CHECK(add_from_header(mail));
  }
  if (mail.recipients.empty())
    return fail(Code::not_found, "no recipients: name them, or take them from the header by -t");
  return mail;
}

}  // namespace tapal::app
