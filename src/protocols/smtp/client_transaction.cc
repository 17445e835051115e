#include "protocols/smtp/client_transaction.h"

#include <algorithm>

#include <fmt/format.h>

namespace tapal::smtp::client {

namespace {

constexpr std::size_t line_bytes_max = 998;  // RFC 5321 section 4.5.3.1.6, without CRLF

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 127; });
}

std::optional<Reply> check_tls(const Transaction& transaction, const PeerFacts& peer) {
  if (!transaction.envelope.require_tls) return {};
  // RFC 8689 section 4.2.1.
  if (!peer.tls_on) return make_reply(550, "5.7.30", "REQUIRETLS was asked for, TLS is not on");
  if (!peer.extensions.has(Extension::require_tls))
    return make_reply(550, "5.7.30", "REQUIRETLS was asked for, the receiving server has it not");
  return {};
}

std::optional<Reply> check_size(const Transaction& transaction, const PeerFacts& peer) {
  const std::uint64_t most = peer.extensions.size_max;
  if (most == 0 || transaction.body_bytes <= most) return {};
  return make_reply(552,
                    "5.3.4",
                    fmt::format("The message has {} bytes, the receiving server takes at most {}",
                                transaction.body_bytes,
                                most));
}

// RFC 6531 section 3.5 gives addresses and header fields their own codes.
std::optional<Reply> check_utf8(const Transaction& transaction, const PeerFacts& peer) {
  if (peer.extensions.has(Extension::smtputf8)) return {};
  const auto& from = transaction.envelope.return_path;
  if (from && !from->is_ascii())
    return make_reply(
        550, "5.6.7", "The receiving server takes no sender address beyond ASCII (SMTPUTF8)");
  if (transaction.needs.utf8_header)
    return make_reply(
        554, "5.6.9", "The receiving server takes no header fields beyond ASCII (SMTPUTF8)");
  return {};
}

std::optional<Reply> check_body(const Transaction& transaction, const PeerFacts& peer) {
  const ContentNeeds& needs = transaction.needs;
  if (needs.binary) {
    if (peer.extensions.has(Extension::binary_mime) && peer.extensions.has(Extension::chunking))
      return {};
    return make_reply(554,
                      "5.6.1",
                      "The message has lone CR or LF, NUL or over-long lines, and the receiving "
                      "server does not take such (BINARYMIME)");
  }
  const bool plain = !needs.eight_bit && !needs.utf8_header;
  if (plain || peer.extensions.has(Extension::eight_bit_mime)) return {};
  return make_reply(
      554, "5.6.3", "The message has 8-bit text, the receiving server takes none (8BITMIME)");
}

}  // namespace

ContentNeeds needs_of(const mail::ContentFacts& facts) {
  return {.eight_bit = facts.body_has_8bit || facts.header_has_8bit,
          .binary = facts.has_nul || facts.has_bare_cr || facts.has_bare_lf ||
                    facts.longest_line > line_bytes_max,
          .utf8_header = facts.header_has_8bit};
}

std::string_view phase_text(Phase phase) {
  switch (phase) {
    case Phase::greeting: return "at the greeting";
    case Phase::hello: return "at EHLO";
    case Phase::tls: return "at STARTTLS";
    case Phase::auth: return "at AUTH";
    case Phase::idle: return "between messages";
    case Phase::checks: return "before sending";
    case Phase::mail: return "at MAIL FROM";
    case Phase::rcpt: return "at RCPT TO";
    case Phase::data: return "at DATA";
    case Phase::body: return "while sending the message";
    case Phase::final: return "at the end of the message";
    case Phase::quit: return "at QUIT";
  }
  return "";
}

std::optional<Reply> check_message(const Transaction& transaction, const PeerFacts& peer) {
  const auto& from = transaction.envelope.return_path;
  if (from && has_control(from->text()))
    return make_reply(553, "5.1.7", "The sender address has control characters");
  for (const auto check : {check_tls, check_size, check_utf8, check_body})
    if (auto refusal = check(transaction, peer)) return refusal;
  return {};
}

std::optional<Reply> check_recipient(const mail::Recipient& recipient, const PeerFacts& peer) {
  const mail::Address& address = recipient.address;
  if (has_control(address.text()))
    return make_reply(553, "5.1.3", "The recipient address has control characters");
  if (!address.is_ascii() && !peer.extensions.has(Extension::smtputf8))
    return make_reply(
        550, "5.6.7", "The receiving server takes no recipient address beyond ASCII (SMTPUTF8)");
  return {};
}

}  // namespace tapal::smtp::client
