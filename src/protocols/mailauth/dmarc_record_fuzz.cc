#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/dmarc_record.h"

// A record that was read stays within its bounds, and never asks for more than it says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto record = DmarcRecord::parse(text);
  if (!record) return 0;
  if (!text.contains("DMARC1") || record->notes.size() > 17) std::abort();
  if (!record->applies && record->policy != DmarcPolicy::none) std::abort();
  if (!record->applies && !record->aggregate_reports_to.empty()) std::abort();
  for (const auto* list : {&record->aggregate_reports_to, &record->failure_reports_to})
    for (const auto& uri : *list)
      if (!text.contains(uri) || !uri.contains(':')) std::abort();
  return 0;
}
