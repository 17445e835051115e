// The message by which Gmail asks whether an address may be used: for "Send mail as", or for
// forwarding to it. Anybody can write one: whether it is Gmail's own, its DKIM signature tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tapal::mail {

inline constexpr std::size_t gmail_confirmation_bytes_max = 256 * 1024;

struct GmailConfirmation {
  enum class Kind : std::uint8_t {
    send_as,     // from gmail-noreply@google.com
    forwarding,  // from forwarding-noreply@google.com
  } kind = Kind::send_as;
  std::string code;  // digits, to be typed into Gmail; empty where none was found
  std::string link;  // to Gmail's own host, to be opened instead; empty where none was found
};

// Reads a whole message in any of Gmail's languages: the subject begins with the code, as in
// "(#123456789) Gmail Confirmation - Send Mail as ann@example.com", or the text has it after a
// colon. Nothing when the message is from somebody else, has neither, or is too long. The link by
// which a confirmation is revoked is never given.
std::optional<GmailConfirmation> read_gmail_confirmation(std::string_view message);

}  // namespace tapal::mail
