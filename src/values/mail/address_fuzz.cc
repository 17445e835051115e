#include "values/mail/address.h"

// What is taken prints to what is taken again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: fuzzer bytes
  if (const auto address = parse_address(text)) {
    if (parse_address(address->text()) != *address) std::abort();
    if (address->text().size() > 254) std::abort();
    (void)address->key();
  }
  if (const auto path = parse_path(text, "our.example"); path && path->address) {
    const auto again = parse_path("<" + path->address->text() + ">");
    if (!again || again->address != path->address || !again->rest.empty()) std::abort();
  }
  return 0;
}
