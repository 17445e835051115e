#include "values/text/utf8.h"

#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <utf8proc.h>

#include "values/text/ascii.h"

namespace tapal::text {

namespace {

const utf8proc_uint8_t* raw(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());  // NOLINT: the library's byte type
}

Result<std::string> map(std::string_view text, int options) {
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(raw(text),
                                             static_cast<utf8proc_ssize_t>(text.size()),
                                             &mapped,
                                             static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size < 0) return fail(Code::invalid, "the text is not valid UTF-8");
  return std::string(mapped, mapped + size);
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  if (static_cast<unsigned char>(text.front()) < 0x80) return 1;
  utf8proc_int32_t character = 0;
  const auto length =
      utf8proc_iterate(raw(text), static_cast<utf8proc_ssize_t>(text.size()), &character);
  return length > 0 ? static_cast<std::size_t>(length) : 0;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return text.substr(0, end);
}

std::string utf8_encode(char32_t character) {
  constexpr utf8proc_int32_t replacement = 0xFFFD;
  auto code = static_cast<utf8proc_int32_t>(character);
  if (!utf8proc_codepoint_valid(code)) code = replacement;
  utf8proc_uint8_t bytes[4] = {};
  const auto length = utf8proc_encode_char(code, bytes);
  return {bytes, bytes + length};
}

Result<std::string> to_nfc(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  return map(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

std::string case_fold(std::string_view text) {
  if (is_ascii(text)) return to_lower(text);
  auto folded = map(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
  return folded ? *std::move(folded) : to_lower(text);
}

}  // namespace tapal::text
