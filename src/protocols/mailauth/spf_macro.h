// SPF's macro strings (RFC 7208 section 7): read once, written out for one message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"

namespace tapal::mailauth {

// What the macro letters stand for.
struct SpfMacroValues {
  std::string local_part;     // l
  std::string sender_domain;  // o; s is local_part@sender_domain
  std::string domain;         // d: whose record is being read
  std::string helo;           // h
  std::string host_name;      // r: who asks; empty: "unknown"
  std::string client_name;    // p: a validated name of the client; empty: "unknown"
  IpAddress ip;               // i, c, v
  WallTime now{};             // t
};

class SpfMacroText {
 public:
  enum class Use : std::uint8_t {
    domain,    // domain-spec: ends in a top label or a macro; the letters c, r and t are not known
    modifier,  // the value of a modifier that nobody knows
    explanation,  // what exp= leads to: may have spaces
  };

  // Code::invalid names the fault.
  static Result<SpfMacroText> parse(std::string_view text, Use use);

  bool uses(char letter) const;  // in lower case

  // Nothing when it would be longer than `bytes_max`.
  std::optional<std::string> expand(const SpfMacroValues& values, std::size_t bytes_max) const;
  // The same to be asked for: without its final dot; labels are left out from the front until it
  // has 253 bytes at most (RFC 7208 section 7.3). It may still be no name: dns_name_of() tells.
  std::string expand_domain(const SpfMacroValues& values) const;

 private:
  // Literal text, or one macro.
  struct Piece {
    std::string literal;
    char letter = 0;  // 0: literal text
    bool escapes = false;
    bool reverses = false;
    std::size_t parts_max = 0;  // the rightmost ones; 0: all
    std::string delimiters;     // empty: "."
  };
  static Result<Piece> parse_macro(std::string_view body);
  static std::string expand_piece(const Piece& piece, const SpfMacroValues& values);
  Result<void> take_literal(std::string_view& rest, Use use);
  Result<void> take_macro(std::string_view& rest, Use use);
  void add_literal(char c);

  std::vector<Piece> pieces_;
};

// What %{p} stands for, of a client's validated names: `domain` itself before one below it before
// any other (RFC 7208 section 7.3); empty when there are none.
std::string spf_client_name(std::span<const std::string> names, std::string_view domain);

// Text without a final dot that DNS may be asked for, as a name in canonical form. Nothing for what
// is no name: an empty or overlong label, and anything but ASCII (RFC 8616 section 4).
std::optional<std::string> dns_name_of(std::string_view text);

}  // namespace tapal::mailauth
