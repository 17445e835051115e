#include "values/text/hex.h"

#include <sodium.h>

namespace tapal::text {

std::string to_hex(std::string_view bytes) {
  std::string digits(bytes.size() * 2 + 1, '\0');
  const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT: C interface
  sodium_bin2hex(digits.data(), digits.size(), raw, bytes.size());
  digits.pop_back();  // the terminator
  return digits;
}

Result<std::string> from_hex(std::string_view digits) {
  std::string bytes(digits.size() / 2 + 1, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  auto* raw = reinterpret_cast<unsigned char*>(bytes.data());  // NOLINT: C interface
  const int status =
      sodium_hex2bin(raw, bytes.size(), digits.data(), digits.size(), nullptr, &size, &end);
  if (status != 0 || end != digits.data() + digits.size()) {
    return fail(Code::invalid, "this is not pairs of hexadecimal digits");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace tapal::text
