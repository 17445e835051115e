#include <cstdint>

#include "values/dns/tsig.h"

// No bytes pass for an answer signed by a key that gives each message another signature.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const dns::TsigKey key{"k", "a", [](std::string_view all) { return std::string(all) + "!"; }};
  const WallTime now{std::chrono::seconds(1'790'000'000)};
  if (dns::verify_tsig(bytes, key, {"", "m"}, now)) __builtin_trap();
  static_cast<void>(dns::sign_tsig(std::string(bytes), key, now));
  return 0;
}
