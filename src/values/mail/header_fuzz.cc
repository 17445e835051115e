#include <algorithm>

#include "values/mail/content.h"
#include "values/mail/header.h"
#include "values/mail/mime.h"

namespace {

using namespace tapal::mail;

void check_fields(std::string_view bytes) {
  const auto header = HeaderFields::parse(bytes);
  if (!header) return;
  std::string joined;
  for (const HeaderField& one : *header) {
    joined += one.raw;
    (void)parse_content_type(one.body);
    const std::string again = field("X", one.unfolded());
    const auto reread = HeaderFields::parse(again, {.line_bytes_max = again.size()});
    if (!reread || reread->all().size() != 1) std::abort();
  }
  if (!bytes.starts_with(joined)) std::abort();
}

// The reader and the scanner must not care how the bytes are cut.
void check_cuts(std::string_view bytes, std::size_t cut) {
  HeaderReader whole;
  whole.on_bytes(bytes);
  HeaderReader pieces;
  if (pieces.on_bytes(bytes.substr(0, cut)) == HeaderReader::State::reading) {
    pieces.on_bytes(bytes.substr(cut));
  }
  if (whole.state() != pieces.state() || whole.header() != pieces.header()) std::abort();
  ContentScanner one;
  one.on_bytes(bytes);
  ContentScanner two;
  two.on_bytes(bytes.substr(0, cut));
  two.on_bytes(bytes.substr(cut));
  if (one.finish() != two.finish()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);  // NOLINT
  check_fields(bytes);
  check_cuts(bytes, std::min<std::size_t>(data[0], bytes.size()));
  return 0;
}
