// The header section of a message (RFC 5322 section 2.2): found in a stream, and cut into fields
// that borrow from the bytes they were read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tapal::mail {

struct HeaderLimits {
  std::size_t bytes_max = 256 * 1024;
  std::size_t fields_max = 2'000;
  std::size_t line_bytes_max = 998;  // RFC 5322 section 2.1.1, without CRLF
};

struct HeaderField {
  std::string_view name;  // as written: "Subject"
  std::string_view raw;   // the whole field with its folds and its final CRLF
  std::string_view body;  // what follows the colon, with folds, without the final CRLF
  std::size_t line = 0;   // where it starts; the first line is 1

  // The body on one line: CRLF of folds removed, trimmed.
  std::string unfolded() const;
  bool is(std::string_view other_name) const;  // ignoring case
};

class HeaderFields {
 public:
  // Reads to the blank line or to the end, whichever is first. The fields are views: `block` must
  // outlive them. Code::invalid with the line's number: no colon, an illegal character in a name, a
  // line over the limit, a fold with nothing before it, a bare CR, LF or NUL; Code::full past the
  // limits of bytes and fields.
  static Result<HeaderFields> parse(std::string_view block, const HeaderLimits& limits = {});

  std::span<const HeaderField> all() const { return fields_; }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  const HeaderField* find(std::string_view name) const;  // the first, or null
  const HeaderField* find_last(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  // The unfolded body of the first field of that name; empty when there is none.
  std::string body_of(std::string_view name) const;

 private:
  std::vector<HeaderField> fields_;
};

// Where the body begins: just past the blank line that ends the header. Nothing while that line has
// not come. A message may have no body and then no blank line.
std::optional<std::size_t> header_end(std::string_view bytes);

// Collects a header from chunks, cut anywhere. header() + CRLF + body is the message again.
class HeaderReader {
 public:
  enum class State : std::uint8_t {
    reading,   // give it more
    complete,  // header() and rest() are there
    too_long,  // no blank line within the limit
  };

  explicit HeaderReader(std::size_t bytes_max = HeaderLimits{}.bytes_max) : bytes_max_(bytes_max) {}

  // Only while reading; every byte is taken.
  State on_bytes(std::string_view chunk);
  // The message ended: what came is all header.
  State at_end();

  State state() const { return state_; }
  std::string_view header() const { return bytes_; }  // the fields, without the blank line
  std::string take_header() { return std::move(bytes_); }
  // What followed the blank line in the last chunk; borrowed from that chunk.
  std::string_view rest() const { return rest_; }

 private:
  std::size_t bytes_max_;
  State state_ = State::reading;
  std::string bytes_;
  std::string_view rest_;
};

// "Name: body CRLF", folded at white space so that lines keep to 76 bytes (RFC 2047 section 2)
// where the words allow it. `body` is one line of text that is right as it stands; line ends and
// NUL in it become spaces, so that nothing can break out of the field.
std::string field(std::string_view name, std::string_view body);

}  // namespace tapal::mail
