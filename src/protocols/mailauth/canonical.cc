#include "protocols/mailauth/canonical.h"

#include <algorithm>
#include <array>
#include <utility>

#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

constexpr std::size_t buffer_bytes = 4096;

void append_relaxed_value(std::string& out, std::string_view value) {
  bool space = false;
  bool any = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\r' && i + 1 < value.size() && value[i + 1] == '\n') {
      ++i;  // a fold: what follows is white space
      continue;
    }
    if (text::is_blank(value[i])) {
      space = true;
      continue;
    }
    if (space && any) out += ' ';
    out += value[i];
    space = false;
    any = true;
  }
}

}  // namespace

std::string_view canonicalization_text(Canonicalization form) {
  return form == Canonicalization::simple ? "simple" : "relaxed";
}

void append_canonical_field(std::string& out, std::string_view raw, Canonicalization form) {
  if (form == Canonicalization::simple) {
    out += raw;
    return;
  }
  const std::size_t colon = std::min(raw.find(':'), raw.size());
  std::string_view name = raw.substr(0, colon);
  while (!name.empty() && text::is_blank(name.back())) name.remove_suffix(1);
  for (const char c : name) out += text::to_lower(c);
  if (colon == raw.size()) return;
  out += ':';
  append_relaxed_value(out, raw.substr(colon + 1));
}

void BodyCanonicalizer::update(std::string_view chunk, BodySink& sink) {
  if (held_cr_ && !chunk.empty()) {
    held_cr_ = false;
    if (chunk.front() == '\n') {
      end_line();
      chunk.remove_prefix(1);
    } else {
      put("\r", sink);
    }
  }
  while (!chunk.empty()) {
    const std::size_t cr = std::min(chunk.find('\r'), chunk.size());
    if (cr > 0) put(chunk.substr(0, cr), sink);
    chunk.remove_prefix(cr);
    if (chunk.empty()) return;
    if (chunk.size() == 1) {
      held_cr_ = true;
      return;
    }
    if (chunk[1] == '\n') {
      end_line();
      chunk.remove_prefix(2);
    } else {
      put(chunk.substr(0, 1), sink);
      chunk.remove_prefix(1);
    }
  }
}

void BodyCanonicalizer::finish(BodySink& sink) {
  if (std::exchange(held_cr_, false)) put("\r", sink);
  // An empty body is CRLF in the simple form and nothing in the relaxed one (RFC 6376 sections
  // 3.4.3 and 3.4.4).
  if (any_text_ || form_ == Canonicalization::simple) buffer_ += "\r\n";
  flush(sink);
  *this = BodyCanonicalizer(form_);
}

void BodyCanonicalizer::end_line() {
  held_space_ = false;
  ++line_ends_;
}

// Text without a line end.
void BodyCanonicalizer::put(std::string_view text, BodySink& sink) {
  if (form_ == Canonicalization::simple) {
    put_verbatim(text, sink);
    return;
  }
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, buffer_bytes);
    text.remove_prefix(piece.size());
    std::array<char, buffer_bytes + 1> out;  // NOLINT(*-member-init): written before it is read
    std::size_t used = 0;
    bool space = held_space_;
    // A byte at a time: words are too short for searching to pay.
    for (const char c : piece) {
      if (text::is_blank(c)) {
        space = true;
        continue;
      }
      if (space) out[used++] = ' ';
      out[used++] = c;
      space = false;
    }
    held_space_ = space;
    if (used > 0) put_verbatim({out.data(), used}, sink);
  }
}

void BodyCanonicalizer::put_verbatim(std::string_view text, BodySink& sink) {
  for (; line_ends_ > 0; --line_ends_) {
    buffer_ += "\r\n";
    if (buffer_.size() >= buffer_bytes) flush(sink);
  }
  any_text_ = true;
  if (text.size() >= buffer_bytes) {
    flush(sink);
    sink.write(text);
    return;
  }
  buffer_ += text;
  if (buffer_.size() >= buffer_bytes) flush(sink);
}

void BodyCanonicalizer::flush(BodySink& sink) {
  if (!buffer_.empty()) sink.write(buffer_);
  buffer_.clear();
}

}  // namespace tapal::mailauth
