// What another server's notice says became of mail that was sent: notices by RFC 3464, and the many
// that are not. Kinds that are no bounce are told apart: complaints, absence notes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/bounce/bounce_rules.h"

namespace tapal::bounce {

inline constexpr std::size_t notice_bytes_max = 1024 * 1024;  // more of a notice is not looked at
inline constexpr std::size_t returned_max = 1000;             // recipients of one notice
inline constexpr std::size_t said_bytes_max = 2000;           // of what is told about each

enum class Fate : std::uint8_t {
  failed,
  delayed,    // it is still tried there
  delivered,  // or passed on to a server that tells nothing more
};

struct Returned {
  std::string recipient;  // as the notice has it, not checked; empty: it names nobody
  Fate fate = Fate::failed;
  std::string said;     // on one line
  Diagnosis diagnosis;  // hard only of what failed
};

enum class NoticeKind : std::uint8_t {
  bounce,      // of what `returned` tells
  complaint,   // a recipient, or a server, calls it spam (RFC 5965)
  auto_reply,  // by a program in a person's name (RFC 3834)
  none,        // no notice at all
};
std::string_view text_of(Fate fate);
std::string_view text_of(NoticeKind kind);

struct ReturnedMail {
  NoticeKind kind = NoticeKind::none;
  std::vector<Returned> returned;  // of a bounce; one or more
};

// `message` with lines that end in CRLF.
ReturnedMail read_returned_mail(std::string_view message, const BounceRules& rules);

}  // namespace tapal::bounce
