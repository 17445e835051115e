#include <cstdint>
#include <cstdlib>

#include "values/crypto/sealed.h"

// A stranger's file, opened with a passphrase: never more work than allowed, never a crash.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::crypto;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto sealer = Sealer::from_text(text)) {
    const auto again = Sealer::from_text(sealer->text());
    if (!again || !(*again == *sealer)) std::abort();
  }
  // Anything that asks for real work is passed over: its bounds are tested elsewhere.
  if (text.starts_with("tapal-sealed-1 8 1 ")) static_cast<void>(open_sealed("a passphrase", text));
  return 0;
}
