// The Sender Rewriting Scheme: a return path of our own for mail that is passed on, so that it
// passes SPF, and the way back for its bounces. After "SRS: Sender Rewriting Scheme" (Meng Weng
// Wong, 2004) and the scheme's guarded second form:
//   SRS0=hash=day=domain=local@alias    from local@domain
//   SRS1=hash=first==...@alias          from SRS0=...@first; a third server keeps `first`
//   SRS0=hash=day==name@alias           from a sender that is too long for these, kept by `name`
// The hash differs from the paper's: it is HMAC-SHA-256 in base32, which survives servers that fold
// the case of local parts, and covers the alias's domain. It is cut to 60 bits: each guess is an
// RCPT of a session of its own that we log, and a right one lets one bounce through to one address;
// at 10 000 guesses a second it takes a million years, and every character less leaves one more
// sender readable. The third form is ours: a domain is never empty, so it cannot be mistaken, and
// to other servers it is a local part like any other. Its name is that of the message passed on
// (base/queue_id.h), so that no two have the same and old ones sort first. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "base/queue_id.h"
#include "base/result.h"
#include "base/time.h"
#include "values/mail/address.h"

namespace tapal::forward {

inline constexpr std::chrono::days srs_lifetime{21};  // bounces come within a queue's life
inline constexpr std::chrono::days srs_clock_skew{1};
inline constexpr std::size_t srs_key_bytes_min = 16;

// The file `srs.keys`, one key a line: the first signs, the second is still believed. To change
// the key put a new line on top and drop the third. "#" begins a comment line.
struct SrsKeys {
  std::string current;
  std::string previous;  // may be empty
};
// The Error is "file:line: what is wrong"; it never repeats a key.
Result<SrsKeys> read_srs_keys(std::string_view text, std::string_view file_name);
// The text of a new file; `previous` may be empty.
std::string make_srs_keys(std::string_view random_bytes, std::string_view previous = {});

enum class SrsRefusal : std::uint8_t {
  not_srs,          // an address like any other
  malformed,        // begins like one and is none
  forged,           // not signed by a key of ours
  expired,          // older than srs_lifetime
  from_the_future,  // dated more than srs_clock_skew ahead
};
std::string_view text_of(SrsRefusal refusal);  // for a reply: "the address has expired"

// Whether a local part claims to be a rewritten one ("SRS0" or "SRS1" and one of "=+-", in any
// case): it is then for Srs::reverse(), never for an alias or a catch-all.
bool is_srs(const mail::Address& address);

// Who is behind a rewritten address: the sender, or the name that it is kept by.
using SrsSender = std::variant<mail::Address, QueueId>;

class Srs {
 public:
  explicit Srs(SrsKeys keys) : keys_(std::move(keys)) {}

  // The return path for mail from `sender` that leaves by an alias of `alias_domain` (in the form
  // of mail::Address::domain). Error: invalid when its local part would pass the 64 octets of RFC
  // 5321 section 4.5.3.1.1, which is when local part and domain of the sender have more than 42
  // together: it is then to be kept, and its name takes its place.
  Result<mail::Address> forward(const mail::Address& sender,
                                std::string_view alias_domain,
                                WallTime now) const;
  // Error: invalid when the alias's domain leaves no room for a local part.
  Result<mail::Address> forward_kept(QueueId name,
                                     std::string_view alias_domain,
                                     WallTime now) const;

  // Who is behind a rewritten address of ours. When a sender's case was folded on the way it stays
  // so.
  std::expected<SrsSender, SrsRefusal> reverse(const mail::Address& address, WallTime now) const;

 private:
  Result<mail::Address> signed_address(char form,
                                       std::string_view what,
                                       std::string_view alias) const;
  std::string hash(std::string_view key, std::string_view what, std::string_view alias) const;
  bool is_signed(std::string_view hash, std::string_view what, std::string_view alias) const;

  SrsKeys keys_;
};

}  // namespace tapal::forward
