// Reads a message's bytes out of DATA or BDAT and checks the rules of its lines. In DATA only
// CRLF "." CRLF ends the message: a peer that saw an end elsewhere could smuggle a second message
// behind it (RFC 5321 section 4.1.1.4, CVE-2023-51764).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapal::smtp {

// From mild to severe: when two rules are broken the more severe one is reported, so that the
// outcome does not depend on how the bytes were cut.
enum class Violation : std::uint8_t {
  none,
  line_too_long,
  nul,
  header_too_big,
  message_too_big,
  bare_cr,  // the two where peers may disagree about the message's end
  bare_lf,
};

class DataReader {
 public:
  enum class Format : std::uint8_t {
    dot_stuffed,  // DATA: dots removed, the end looked for
    lines,        // BDAT: the caller counts bytes
    binary,       // BDAT of BODY=BINARYMIME: only sizes are checked (RFC 3030 section 3)
  };
  struct Limits {
    std::size_t line_bytes = 998;  // without CRLF
    std::uint64_t header_bytes = 256 * 1024;
    std::uint64_t message_bytes = 50'000'000;
  };

  DataReader() = default;
  DataReader(Format format, Limits limits);

  // Takes bytes up to the end of the message (all of them when it is not there), appends what was
  // decoded to `into`, and says how many it took. After a violation nothing is appended any more,
  // but the end is still found.
  std::size_t read(std::string_view bytes, std::string& into);
  // After the last chunk of BDAT: a lone CR at the very end shows only here.
  void finish(std::string& into);

  bool ended() const { return ended_; }  // dot_stuffed only
  Violation violation() const { return violation_; }
  std::uint64_t decoded_bytes() const { return decoded_bytes_; }

 private:
  enum class State : std::uint8_t { line_start, dot, dot_cr, in_line, cr };

  const char* read_line(const char* at, const char* end);
  void keep(std::string_view bytes, std::string& into);
  void keep(const char* from, const char* to, std::string& into);
  bool ends_line(char next, std::string& into);
  void end_line();
  void note(Violation violation);

  Format format_ = Format::dot_stuffed;
  Limits limits_;
  State state_ = State::line_start;
  Violation violation_ = Violation::none;
  bool ended_ = false;
  bool in_header_ = true;
  std::size_t line_bytes_ = 0;  // of the line so far, unstuffed
  std::uint64_t header_bytes_ = 0;
  std::uint64_t decoded_bytes_ = 0;
};

}  // namespace tapal::smtp
