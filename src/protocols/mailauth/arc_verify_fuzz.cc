#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/arc_verify.h"
#include "protocols/mailauth/test_key_zone.h"

// A whole message and, behind a NUL, the key record that every question gets: no harm, a bounded
// number of questions, and a chain only where there are ARC fields.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t nul = std::min(input.find('\0'), input.size());
  const std::string_view message = input.substr(0, nul);
  const std::string_view key = input.substr(std::min(nul + 1, input.size()));
  const std::size_t end = std::min(message.find("\r\n\r\n"), message.size());
  SignedMessage signed_message(message.substr(0, end));
  const ArcVerifier verifier(signed_message);
  int questions = 0;
  while (signed_message.next_lookup()) {
    if (++questions > arc_sets_max + 1) std::abort();
    signed_message.on_reply(texts_reply({std::string(key)}));
  }
  signed_message.on_body(message.substr(std::min(end + 4, message.size())));
  const auto result = verifier.result(tapal::WallTime(std::chrono::seconds(1'800'000'000)));
  if (result.hops.size() > arc_sets_max) std::abort();
  if ((result.status == ArcStatus::fail) == result.reason.empty()) std::abort();
  if (result.status == ArcStatus::pass && result.hops.empty()) std::abort();
  return 0;
}
