#include "values/text/idna.h"

// A domain that is taken is a host name, stays what it is when taken again, and can be shown.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::text;
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: fuzzer bytes
  if (const auto domain = domain_to_ascii(text)) {
    if (!check_hostname(*domain)) std::abort();
    if (domain_to_ascii(*domain) != *domain) std::abort();
    (void)domain_to_unicode(*domain);
  }
  (void)domain_to_unicode(text);
  return 0;
}
