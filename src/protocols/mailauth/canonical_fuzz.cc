#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/canonical.h"
#include "protocols/mailauth/header_block.h"

namespace tapal::mailauth {
namespace {

struct Collected final : BodySink {
  void write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

// The first byte says how the rest is cut.
std::string canonical_body(std::string_view body, Canonicalization form, std::size_t piece) {
  Collected out;
  BodyCanonicalizer canonicalizer(form);
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    canonicalizer.update(body.substr(0, piece), out);
  }
  canonicalizer.finish(out);
  return out.text;
}

void check(std::string_view text, Canonicalization form, std::size_t piece) {
  const std::string whole = canonical_body(text, form, text.size() + 1);
  if (canonical_body(text, form, piece) != whole) std::abort();
  if (canonical_body(whole, form, piece) != whole) std::abort();
  for (const RawField& field : split_header_block(text)) {
    std::string once;
    append_canonical_field(once, field.raw, form);
    std::string twice;
    append_canonical_field(twice, once, form);
    if (once != twice) std::abort();
  }
}

}  // namespace
}  // namespace tapal::mailauth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check(text, Canonicalization::simple, data[0] + std::size_t{1});
  check(text, Canonicalization::relaxed, data[0] + std::size_t{1});
  return 0;
}
