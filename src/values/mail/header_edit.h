// Changes to a header section, as filters ask for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::mail {

struct HeaderEdit {
  enum class Kind : std::uint8_t {
    append,   // a new last field
    insert,   // a new field; place: how many fields stand above it
    replace,  // place: 1 is the first field of that name; where there is none, append
    remove,   // place: as replace, 0 is every field of that name, -1 the last one of it
  };
  Kind kind = Kind::append;
  std::string name;
  // What follows the colon, its leading space too; any line end before more text is a fold.
  std::string body;
  std::int32_t place = 0;

  bool operator==(const HeaderEdit&) const = default;
};

inline constexpr std::size_t header_edits_max = 1'000;  // of one message; more are left out
inline constexpr std::size_t edited_header_bytes_max = 1024UL * 1024;

// The fields of a section, each with its folds and its CRLF. Tolerant: a line that is no field is
// one all the same.
std::vector<std::string_view> field_texts(std::string_view header);

// A name that a field may have: RFC 5322 section 3.6.8.
bool is_field_name(std::string_view name);

// The section with the edits made, in order. `header` has CRLF lines and no blank line, and so has
// the result: whatever a body holds, it stays inside its field. Code::invalid for a name that
// cannot be, Code::full when it grows too long.
Result<std::string> edit_header(std::string_view header, std::span<const HeaderEdit> edits);

}  // namespace tapal::mail
