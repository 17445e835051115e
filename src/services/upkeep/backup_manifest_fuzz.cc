#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "services/upkeep/backup_manifest.h"

// Whatever is taken prints to a text that reads the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto manifest = tapal::upkeep::manifest_from_text(text);
  if (!manifest) return 0;
  const auto again = tapal::upkeep::manifest_from_text(tapal::upkeep::to_text(*manifest));
  if (!again || *again != *manifest) std::abort();
  return 0;
}
