#include <cstdint>
#include <cstdlib>

#include "protocols/tlspolicy/mta_sts.h"

// What was read is written and read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::tlspolicy;
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const auto policy = parse_mta_sts({reinterpret_cast<const char*>(data), size});
  if (!policy) return 0;
  const auto again = parse_mta_sts(mta_sts_text(*policy));
  if (!again || *again != *policy) std::abort();
  return 0;
}
