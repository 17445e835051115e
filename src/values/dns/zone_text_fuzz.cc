#include <cstdlib>

#include "values/dns/zone_text.h"

// Records that are read are printed as text that reads back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::dns;
  ZoneTextOptions options;
  options.origin = "example";
  const auto records = parse_zone_text({reinterpret_cast<const char*>(data), size}, options);
  if (!records) return 0;
  if (parse_zone_text(to_zone_text(*records)) != *records) std::abort();
  return 0;
}
