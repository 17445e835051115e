#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/queue/hold_rules.h"

// Any filter is read or refused, and what was read is written and read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto filter = tapal::queue::filter_from_json(text)) {
    const auto again = tapal::queue::filter_from_json(tapal::queue::to_json(*filter));
    if (!again || *again != *filter) std::abort();
  }
  if (const auto rule = tapal::queue::hold_rule_from_json(text)) {
    const auto again = tapal::queue::hold_rule_from_json(tapal::queue::to_json(*rule));
    if (!again || *again != *rule) std::abort();
  }
  return 0;
}
