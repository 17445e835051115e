#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/spf_record.h"

// What was read expands within its bounds, and each term by itself is as good as all together.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto record = SpfRecord::parse(text);
  if (!record) return 0;
  SpfMacroValues values;
  values.local_part = "a-b+c.d";
  values.sender_domain = "example.com";
  values.domain = "sub.example.com";
  values.helo = std::string(300, '%');
  std::string again = "v=spf1";
  for (const SpfTerm& term : record->terms) {
    again += " " + term.text;
    if (!term.target) continue;
    const std::string name = term.target->expand_domain(values);
    // Longer than a name may be only where there is no label to leave out.
    if (name.size() > 253 && name.substr(name.size() - 254).contains('.')) std::abort();
    if (const auto all = term.target->expand(values, 1000); all && all->size() > 1000) std::abort();
  }
  const auto same = SpfRecord::parse(again);
  if (!same || same->terms.size() != record->terms.size()) std::abort();
  return 0;
}
