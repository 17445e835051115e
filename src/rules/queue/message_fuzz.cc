#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/queue/message.h"

// Any record is read or refused, and what was read is written and read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = tapal::queue::message_from_json(text);
  if (!message) return 0;
  const auto again = tapal::queue::message_from_json(tapal::queue::to_json(*message));
  if (!again || *again != *message) std::abort();
  return 0;
}
