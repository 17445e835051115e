#include "values/text/base64.h"

#include <sodium.h>

#include "values/text/ascii.h"

namespace tapal::text {

namespace {

std::string encode(std::string_view bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT: C interface
  sodium_bin2base64(text.data(), text.size(), raw, bytes.size(), variant);
  text.pop_back();  // the terminator
  return text;
}

Result<std::string> decode(std::string_view text, int variant, const char* ignored) {
  // The library takes some bytes above 127 for the letter that their lower bits are.
  if (!is_ascii(text)) return fail(Code::invalid, "this is not base64 (RFC 4648 section 4)");
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  auto* raw = reinterpret_cast<unsigned char*>(bytes.data());  // NOLINT: C interface
  const int status =
      sodium_base642bin(raw, bytes.size(), text.data(), text.size(), ignored, &size, &end, variant);
  if (status != 0 || end != text.data() + text.size()) {
    return fail(Code::invalid, "this is not base64 (RFC 4648 section 4)");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  return encode(bytes, sodium_base64_VARIANT_ORIGINAL);
}

std::string to_base64_url(std::string_view bytes) {
  return encode(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

Result<std::string> from_base64(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_ORIGINAL, nullptr);
}

Result<std::string> from_base64_url(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, nullptr);
}

Result<std::string> from_base64_lines(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_ORIGINAL, " \t\r\n");
}

}  // namespace tapal::text
