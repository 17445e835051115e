// Builds a header field of tokens, with lines of at most field_line_bytes_max where they allow it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace tapal::mailauth {

inline constexpr std::size_t field_line_bytes_max = 78;  // RFC 5322 section 2.1.1

class FieldWriter {
 public:
  explicit FieldWriter(std::string_view start) : text_(start), line_bytes_(start.size()) {}

  void add(std::string_view token);         // after a space, or on a new line
  void join(std::string_view token);        // directly behind, or on a new line
  void put(std::string_view token);         // directly behind, whatever the line's length
  void put_broken(std::string_view token);  // directly behind; may be broken anywhere
  void fold();

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t line_bytes_;
};

}  // namespace tapal::mailauth
