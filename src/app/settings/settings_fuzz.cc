#include <cstdint>
#include <cstdlib>

#include "app/settings/settings.h"

// Whatever the file says: either problems with a place, a bounded number of them, or settings.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(*-reinterpret-cast): the fuzzer's bytes as text
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = tapal::app::parse_settings(text, "f");
  if (parsed.problems.size() > tapal::app::settings_problems_max) std::abort();
  for (const auto& problem : parsed.problems)
    if (!problem.starts_with("f:")) std::abort();
  for (const auto& [domain, route] : parsed.settings.delivery.routes)
    if (parsed.problems.empty() && (route.host.empty() || route.port == 0)) std::abort();
  return 0;
}
