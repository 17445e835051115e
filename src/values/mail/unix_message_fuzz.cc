// Whatever a program writes: lines stay within bounds, and addresses lie within their list.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "values/mail/unix_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view given(reinterpret_cast<const char*>(data), size);
  const auto message = tapal::mail::from_unix_message(given);
  std::size_t line = 0;
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '\0') std::abort();
    if (message[i] == '\r') {
      if (message[++i] != '\n' || line > 998) std::abort();
      line = 0;
    } else {
      ++line;
    }
  }
  if (line != 0) std::abort();
  for (const auto address : tapal::mail::address_texts(given))
    if (address.empty() || address.data() < given.data() ||
        address.data() + address.size() > given.data() + given.size())
      std::abort();
  static_cast<void>(tapal::mail::with_domain(given, "d.example"));
  return 0;
}
