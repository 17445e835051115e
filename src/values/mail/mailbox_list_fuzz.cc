#include "values/mail/address.h"

// Every mailbox that is read prints to a list of one with the same address.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: fuzzer bytes
  const auto list = parse_mailbox_list(text, 100);
  if (!list) return 0;
  for (const Mailbox& mailbox : *list) {
    const auto again = parse_mailbox_list(mailbox.text());
    if (!again || again->size() != 1 || again->front().address != mailbox.address) std::abort();
  }
  return 0;
}
