#include "values/text/date.h"

// What parses must print, and print to something that parses to the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::text;
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: fuzzer bytes
  if (const auto time = parse_rfc5322_date(text)) {
    const auto again = parse_rfc5322_date(rfc5322_date(*time));
    if (!again || rfc5322_date(*again) != rfc5322_date(*time)) std::abort();
  }
  if (const auto time = parse_rfc3339_date(text)) {
    const auto again = parse_rfc3339_date(rfc3339_date(*time));
    if (!again || rfc3339_date(*again) != rfc3339_date(*time)) std::abort();
  }
  return 0;
}
