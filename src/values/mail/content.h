// Facts about a message's bytes that decide how it may travel, gathered while it streams by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tapal::mail {

struct ContentFacts {
  bool header_has_8bit = false;  // needs SMTPUTF8 (RFC 6532), if it is valid at all
  bool body_has_8bit = false;    // needs 8BITMIME (RFC 6152)
  bool has_nul = false;
  bool has_bare_cr = false;
  bool has_bare_lf = false;
  std::uint64_t bytes = 0;
  std::uint64_t header_bytes = 0;     // without the blank line
  std::size_t longest_line = 0;       // bytes without CRLF
  std::uint32_t received_fields = 0;  // hops so far (RFC 5321 section 6.3)

  bool operator==(const ContentFacts&) const = default;
};

// Cutting the bytes differently changes nothing.
class ContentScanner {
 public:
  void on_bytes(std::string_view chunk);
  // Once, after the last chunk: counts a last line without CRLF and a CR at the very end.
  ContentFacts finish();

 private:
  void line_piece(std::string_view piece, bool has_8bit);
  void end_line();

  ContentFacts facts_;
  bool in_header_ = true;
  bool after_cr_ = false;
  std::size_t line_bytes_ = 0;
  std::size_t matched_ = 0;  // bytes of "received:" that this line begins with
};

}  // namespace tapal::mail
