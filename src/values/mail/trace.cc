#include "values/mail/trace.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/mail/grammar.h"
#include "values/mail/header.h"
#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal::mail {

namespace {

constexpr std::string_view delivered_to = "Delivered-To";

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
  body += fmt::format("by {}", received.by);
  if (!received.protocol.empty()) body += fmt::format(" with {}", received.protocol);
  if (!received.tls.empty()) body += fmt::format(" ({})", comment_safe(received.tls));
  body += fmt::format(" id {}", received.id);
  if (received.recipient) body += fmt::format(" for <{}>", received.recipient->text());
  return field("Received", fmt::format("{}; {}", body, text::rfc5322_date(received.time)));
}

std::string return_path_field(const std::optional<Address>& return_path) {
  // Not folded: the address may be longer than a line should be, and must stay whole.
  return fmt::format("Return-Path: <{}>\r\n", return_path ? return_path->text() : "");
}

std::string delivered_to_field(const Address& address) {
  return fmt::format("{}: {}\r\n", delivered_to, address.text());
}

bool was_delivered_to(std::string_view header, const Address& address) {
  const std::string key = address.key();
  while (!header.empty()) {
    const auto line = header.substr(0, header.find('\n'));
    header.remove_prefix(std::min(line.size() + 1, header.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!text::equals_ignoring_case(text::trim(line.substr(0, colon)), delivered_to)) continue;
    auto said = text::trim(line.substr(colon + 1));
    if (said.starts_with('<') && said.ends_with('>')) said = said.substr(1, said.size() - 2);
    const auto found = parse_address(said);
    if (found && found->key() == key) return true;
  }
  return false;
}

}  // namespace tapal::mail
