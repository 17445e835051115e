// The header fields of a message as the bytes that signatures cover.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace tapal::mailauth {

// Borrowed from the header block.
struct RawField {
  std::string_view name;  // as written, without white space before the colon; "" if malformed
  std::string_view raw;   // from the name to the last byte before the final CRLF, folding inside
};

// Cuts at every CRLF that no space or tab follows; ends at the empty line or at the end. A bare CR
// or LF is an ordinary byte.
std::vector<RawField> split_header_block(std::string_view header_block);

// Hands out the instances of a field from the bottom of the header up, as "h=" lists them
// (RFC 6376 section 5.4.2).
class FieldPicker {
 public:
  explicit FieldPicker(const std::vector<RawField>& fields);
  // The lowest instance not handed out yet, or nullptr. `skipped` is never handed out.
  const RawField* pick(std::string_view name, const RawField* skipped = nullptr);

 private:
  struct Group {
    std::string_view name;
    std::size_t next = 0;  // index plus one into order_ of the lowest instance left
    std::size_t first = 0;
  };
  const std::vector<RawField>& fields_;
  std::vector<std::size_t> order_;  // fields by lower-case name, then position
  std::vector<Group> groups_;
};

}  // namespace tapal::mailauth
