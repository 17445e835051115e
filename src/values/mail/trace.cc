#include "values/mail/trace.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/mail/grammar.h"
#include "values/mail/header.h"
#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal::mail {

namespace {

// What a stranger says goes into the field only as far as it cannot be taken for structure.
std::string harmless(std::string_view said) {
  constexpr std::size_t bytes_max = 255;
  constexpr std::string_view allowed = ".-_:[]";
  std::string word(said.substr(0, std::min(said.size(), bytes_max)));
  std::ranges::replace_if(
      word, [allowed](char c) { return !text::is_alnum(c) && !allowed.contains(c); }, '?');
  return word.empty() ? "unknown" : word;
}

std::string comment_safe(std::string_view said) {
  std::string text(said);
  std::ranges::replace_if(
      text,
      [](char c) {
        return c == '(' || c == ')' || c == ';' || c == '\\' || is_control_char(c) ||
               !is_ascii_char(c);
      },
      '?');
  return text;
}

}  // namespace

std::string received_field(const Received& received) {
  std::string body;
  if (received.peer) {
    const Received::Peer& peer = *received.peer;
    body += fmt::format(
        "from {} ({} {}) ", harmless(peer.helo), harmless(peer.name), peer.address.smtp_literal());
  }
  body += fmt::format("by {} with {}", received.by, received.protocol);
  if (!received.tls.empty()) body += fmt::format(" ({})", comment_safe(received.tls));
  body += fmt::format(" id {}", received.id);
  if (received.recipient) body += fmt::format(" for <{}>", received.recipient->text());
  return field("Received", fmt::format("{}; {}", body, text::rfc5322_date(received.time)));
}

std::string return_path_field(const std::optional<Address>& return_path) {
  // Not folded: the address may be longer than a line should be, and must stay whole.
  return fmt::format("Return-Path: <{}>\r\n", return_path ? return_path->text() : "");
}

}  // namespace tapal::mail
