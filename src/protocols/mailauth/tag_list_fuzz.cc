#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/tag_list.h"

// A list that was read stays within its text, and says of each tag where it stands.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = TagList::parse(text);
  if (!list) return 0;
  for (const Tag& tag : list->tags()) {
    if (tag.begin > tag.end || tag.end > text.size()) std::abort();
    if (!text.substr(tag.begin, tag.end - tag.begin).contains(tag.value)) std::abort();
    if (list->find(tag.name) != &tag) std::abort();
    if (colon_list(tag.value).empty()) std::abort();
  }
  return 0;
}
