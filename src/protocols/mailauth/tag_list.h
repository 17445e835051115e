// The "name=value; name=value" lists of DKIM-Signature fields and key records (RFC 6376 section
// 3.2). What the tags mean is left to the readers of each.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::mailauth {

inline constexpr std::size_t tag_list_bytes_max = 64 * 1024;  // z= may hold a copy of the header
inline constexpr std::size_t tags_max = 64;

struct Tag {
  std::string_view name;   // case matters
  std::string_view value;  // without white space at its ends; folding inside is kept
  // Where everything between "=" and the next ";" stands in the parsed text, white space included:
  // what a signature's "b=" is emptied by (RFC 6376 section 3.7).
  std::size_t begin = 0;
  std::size_t end = 0;
};

class TagList {
 public:
  // Borrows `text`, which must outlive the list. Code::invalid: a limit, a missing "=", a bad
  // name, a character that values cannot have, a name that occurs twice. Values may be UTF-8
  // (RFC 8616 section 3).
  static Result<TagList> parse(std::string_view text);

  const Tag* find(std::string_view name) const;         // nullptr when absent
  std::string_view value(std::string_view name) const;  // "" when absent
  const std::vector<Tag>& tags() const { return tags_; }

 private:
  std::vector<Tag> tags_;
};

// base64string of RFC 6376 section 3.5: white space anywhere, and padding may be left out.
Result<std::string> from_base64_value(std::string_view value);

// "a : b:c" to its parts without white space around them; empty parts are kept.
std::vector<std::string_view> colon_list(std::string_view text);

}  // namespace tapal::mailauth
