#include "values/mail/content.h"

#include <algorithm>
#include <cstring>

#include "values/text/ascii.h"

namespace tapal::mail {

namespace {

constexpr std::string_view received_name = "received:";

bool contains_byte(std::string_view text, char byte) {
  return std::memchr(text.data(), byte, text.size()) != nullptr;
}

}  // namespace

void ContentScanner::on_bytes(std::string_view chunk) {
  if (chunk.empty()) return;
  facts_.bytes += chunk.size();
  facts_.has_nul = facts_.has_nul || contains_byte(chunk, '\0');
  while (!chunk.empty()) {
    if (after_cr_) {
      after_cr_ = false;
      if (chunk.front() == '\n') {
        end_line();
        chunk.remove_prefix(1);
        continue;
      }
      facts_.has_bare_cr = true;
      ++line_bytes_;
    }
    auto piece = chunk.substr(0, chunk.find('\r'));
    piece = piece.substr(0, piece.find('\n'));
    unsigned char seen =
        0;  // all bits of the piece; without a way out, so that it goes 32 at a time
    for (const char c : piece) seen |= static_cast<unsigned char>(c);
    line_piece(piece, seen >= 0x80);
    chunk.remove_prefix(piece.size());
    if (chunk.empty()) return;
    if (chunk.front() == '\r') {
      after_cr_ = true;
    } else {
      // A bare LF neither ends a line nor a header: only what is refused for it has it.
      facts_.has_bare_lf = true;
      ++line_bytes_;
    }
    chunk.remove_prefix(1);
  }
}

void ContentScanner::line_piece(std::string_view piece, bool has_8bit) {
  if (piece.empty()) return;
  if (in_header_) {
    facts_.header_has_8bit = facts_.header_has_8bit || has_8bit;
    // `matched_` equals the line's length so far as long as all of it fits the name.
    if (matched_ == line_bytes_ && matched_ < received_name.size()) {
      for (const char c : piece) {
        if (matched_ == received_name.size() || text::to_lower(c) != received_name[matched_]) break;
        if (++matched_ == received_name.size()) ++facts_.received_fields;
      }
    }
  } else {
    facts_.body_has_8bit = facts_.body_has_8bit || has_8bit;
  }
  line_bytes_ += piece.size();
}

void ContentScanner::end_line() {
  facts_.longest_line = std::max(facts_.longest_line, line_bytes_);
  if (in_header_) {
    if (line_bytes_ == 0) {
      in_header_ = false;
    } else {
      facts_.header_bytes += line_bytes_ + 2;
    }
  }
  line_bytes_ = 0;
  matched_ = 0;
}

ContentFacts ContentScanner::finish() {
  if (after_cr_) {
    facts_.has_bare_cr = true;
    ++line_bytes_;
    after_cr_ = false;
  }
  facts_.longest_line = std::max(facts_.longest_line, line_bytes_);
  if (in_header_) facts_.header_bytes += line_bytes_;
  line_bytes_ = 0;
  return facts_;
}

}  // namespace tapal::mail
