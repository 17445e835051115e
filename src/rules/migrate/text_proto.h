// The text form of protocol buffers, as far as chasquid's files go: scalars, strings with escapes,
// messages in { } or < >, lists, comments. Types are the reader's business.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::migrate {

inline constexpr int text_proto_depth_max = 10;

struct ProtoField {
  std::string name;
  std::string value;               // a string's bytes, or the word as written; empty for a message
  std::vector<ProtoField> fields;  // of a message; repeated ones stand here once each
  std::size_t line = 0;            // from 1

  // The first of that name, or null.
  const ProtoField* find(std::string_view wanted) const;
  std::string text(std::string_view wanted) const;  // its value; empty where there is none
};

// The whole text as one message without a name. Error: "file:line: what is wrong"; it never shows
// the text, which may hold a secret.
Result<ProtoField> read_text_proto(std::string_view text, std::string_view file_name);

}  // namespace tapal::migrate
