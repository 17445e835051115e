// One target of an alias, as it stands in the file:
//   ann, ann@example.org, "john doe"@example.org    an address; without a domain one of this domain
//   ann@example.org via mx.example.net:2525         the same, by that host in place of its MX
//   *@example.org, *                                the local part that was asked for
//   list-\1                                         \1 to \9: what the pattern's groups matched
//   :keep:                                          the mailbox of the user who has this name
//   | /path/program argument "an argument"          a program (no shell), to the line's end
//   :maildir: /path    :lmtp: unix:/path    :lmtp: host:port    :http: https://host/path
//   :include: file                                  a file of addresses beside the aliases file
//   :reject: text                                   refused with this text, to the line's end
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "values/mail/address.h"
#include "values/mail/handover.h"

namespace tapal::alias {

inline constexpr std::size_t program_arguments_max = 100;
inline constexpr std::size_t handover_bytes_max = 2000;  // of a path, a URL, a host
inline constexpr std::size_t reject_text_bytes_max = 300;

struct RuleTarget {
  enum class Kind : std::uint8_t {
    address,
    mapped,   // an address whose local part is "*" or has \0 to \9: fill() gives the one meant
    keep,     // a mailbox; `address` is its user's once the table is built
    handed,   // `handover` says how
    include,  // `text` is the file's name
    reject,   // `text` is what to say, and may be empty
  };
  Kind kind = Kind::address;
  mail::Address address;
  mail::Handover handover;  // of an address: usual, or by a host
  std::string text;
};

// What a target may say depends on its line.
struct TargetPlace {
  std::string_view domain;   // of an address without one
  std::size_t captures = 0;  // groups of the line's pattern: \1 to \captures have a meaning
  bool has_pattern = false;  // \0 has one, too
};

Result<RuleTarget> read_target(std::string_view text, const TargetPlace& place);

// What a mapped target stands for, asked for `local`; `captures[0]` is all that the pattern
// matched. Error: that is no address.
Result<mail::Address> fill(const RuleTarget& target,
                           std::string_view local,
                           const std::vector<std::string>& captures);

// As it stands in a file, for tools and traces.
std::string text_of(const mail::Handover& handover);

}  // namespace tapal::alias
