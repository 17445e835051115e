#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocols/mailauth/dkim_signature.h"

// What was read prints as a field that reads as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::mailauth;
  const auto signature =
      DkimSignature::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!signature) return 0;
  const std::string field = signature->field();
  if (field.size() > tag_list_bytes_max) return 0;  // folding made it longer than may be read
  const auto again = DkimSignature::parse(std::string_view(field).substr(field.find(':') + 1));
  if (!again || *again != *signature) std::abort();
  return 0;
}
