#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/dkim_verify.h"
#include "protocols/mailauth/test_key_zone.h"

// A whole message and, behind a NUL, the key record that every question gets: no harm, and no more
// results than the limits allow.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t nul = std::min(input.find('\0'), input.size());
  const std::string_view message = input.substr(0, nul);
  const std::string_view key = input.substr(std::min(nul + 1, input.size()));
  const std::size_t end = std::min(message.find("\r\n\r\n"), message.size());
  SignedMessage signed_message(message.substr(0, end));
  DkimVerifier verifier(signed_message);
  while (signed_message.next_lookup()) signed_message.on_reply(texts_reply({std::string(key)}));
  signed_message.on_body(message.substr(std::min(end + 4, message.size())));
  const auto results = verifier.results(tapal::WallTime(std::chrono::seconds(1'800'000'000)));
  if (results.size() > DkimLimits{}.signatures_max + 1) std::abort();
  return 0;
}
