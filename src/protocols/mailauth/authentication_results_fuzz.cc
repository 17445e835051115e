#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/authentication_results.h"

// What was read and written is read as the same again, and what says to be ours still does.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool ours = is_ours(text, "mx.example.org");
  const auto read = parse_authentication_results(text);
  if (!read) return 0;
  const std::string written = authentication_results_payload(*read);
  const auto again = parse_authentication_results(written);
  if (!again || authentication_results_payload(*again) != written) std::abort();
  if (is_ours(written, "mx.example.org") != ours) std::abort();
  return 0;
}
