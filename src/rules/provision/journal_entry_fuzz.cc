#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/provision/journal_entry.h"

// What is read is written so that it is read the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto entry = tapal::provision::parse_journal_entry(text);
  if (!entry) return 0;
  const auto again = tapal::provision::parse_journal_entry(tapal::provision::to_text(*entry));
  if (!again || *again != *entry) std::abort();
  return 0;
}
