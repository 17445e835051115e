#include "protocols/mailauth/field_writer.h"

namespace tapal::mailauth {

void FieldWriter::add(std::string_view token) {
  if (line_bytes_ + 1 + token.size() > field_line_bytes_max) {
    fold();
  } else {
    put(" ");
  }
  put(token);
}

void FieldWriter::join(std::string_view token) {
  if (line_bytes_ + token.size() > field_line_bytes_max) fold();
  put(token);
}

void FieldWriter::put(std::string_view token) {
  text_ += token;
  line_bytes_ += token.size();
}

void FieldWriter::put_broken(std::string_view token) {
  while (!token.empty()) {
    if (line_bytes_ >= field_line_bytes_max) fold();
    const std::string_view piece = token.substr(0, field_line_bytes_max - line_bytes_);
    put(piece);
    token.remove_prefix(piece.size());
  }
}

void FieldWriter::fold() {
  text_ += "\r\n\t";
  line_bytes_ = 1;
}

}  // namespace tapal::mailauth
