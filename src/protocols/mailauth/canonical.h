// The two canonical forms of DKIM (RFC 6376 section 3.4): what is hashed instead of the message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapal::mailauth {

enum class Canonicalization : std::uint8_t { simple, relaxed };

std::string_view canonicalization_text(Canonicalization form);  // "simple"

// Appends one header field in its canonical form, without a final CRLF. `raw` is the field as it
// stands in the message, without its final CRLF.
void append_canonical_field(std::string& out, std::string_view raw, Canonicalization form);

// Where canonical body bytes go.
struct BodySink {
  virtual void write(std::string_view bytes) = 0;

 protected:
  ~BodySink() = default;
};

// Canonicalizes a body that comes in pieces, in constant memory. Only CRLF ends a line; a bare CR
// or LF is text. The pieces' borders do not matter.
class BodyCanonicalizer {
 public:
  explicit BodyCanonicalizer(Canonicalization form) : form_(form) {}

  void update(std::string_view chunk, BodySink& sink);
  void finish(BodySink& sink);  // after the last piece; begins anew

 private:
  void put(std::string_view text, BodySink& sink);
  void put_verbatim(std::string_view text, BodySink& sink);
  void end_line();
  void flush(BodySink& sink);

  Canonicalization form_;
  std::string buffer_;           // canonical bytes on their way to the sink
  std::uint64_t line_ends_ = 0;  // CRLFs held back: dropped if nothing follows
  bool held_cr_ = false;         // the last piece ended in CR
  bool held_space_ = false;      // relaxed: a run of white space that text must follow
  bool any_text_ = false;
};

}  // namespace tapal::mailauth
