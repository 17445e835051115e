#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/dkim_key_record.h"

// What was read can be used as a key without harm.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  const auto record =
      DkimKeyRecord::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!record) return 0;
  if (record->revoked() && record->public_key()) std::abort();
  if (const auto key = record->public_key()) {
    if (key->verify(tapal::crypto::Digest{}, "no signature")) std::abort();
  }
  return 0;
}
