// The Sender Rewriting Scheme: a return path of our own for mail that is passed on, so that it
// passes SPF, and the way back for its bounces. After "SRS: Sender Rewriting Scheme" (Meng Weng
// Wong, 2004) and the scheme's guarded second form:
//   SRS0=hash=day=domain=local@alias    from local@domain
//   SRS1=hash=first==...@alias          from SRS0=...@first; a third server keeps `first`
// Two things differ from the paper: the hash is HMAC-SHA-256 cut to 80 bits (guessing one takes
// 2^79 tries) in base32, which survives servers that fold the case of local parts; and it covers
// the alias's domain. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

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

class Srs {
 public:
  explicit Srs(SrsKeys keys) : keys_(std::move(keys)) {}

  // The return path for mail from `sender` that leaves by an alias of `alias_domain` (in the form
  // of mail::Address::domain). Error: invalid when its local part would pass the 64 octets of RFC
  // 5321 section 4.5.3.1.1, which is when local part and domain of the sender have more than 38
  // together. The mail then keeps its return path: bounces still come back to the sender, SPF
  // fails at the target, and DMARC stands on DKIM alone.
  Result<mail::Address> forward(const mail::Address& sender,
                                std::string_view alias_domain,
                                WallTime now) const;

  // The sender behind a rewritten address of ours. When the case was folded on the way it stays so.
  std::expected<mail::Address, SrsRefusal> reverse(const mail::Address& address,
                                                   WallTime now) const;

 private:
  std::string hash(std::string_view key, std::string_view what, std::string_view alias) const;
  bool is_signed(std::string_view hash, std::string_view what, std::string_view alias) const;

  SrsKeys keys_;
};

}  // namespace tapal::forward
