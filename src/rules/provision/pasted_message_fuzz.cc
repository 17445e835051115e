#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/provision/pasted_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto graded = tapal::provision::grade_paste(text);
  if (graded && graded->findings.size() != 7) std::abort();
  return 0;
}
