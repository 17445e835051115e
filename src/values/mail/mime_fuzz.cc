#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "values/mail/mime.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"
#include "values/text/utf8.h"

namespace {

using namespace tapal::mail;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

void check_content_type(std::string_view field) {
  const auto type = parse_content_type(field);
  if (!type) return;
  require(type->parameters.size() <= 64);
  for (const Parameter& parameter : type->parameters) {
    require(parameter.name == tapal::text::to_lower(parameter.name));
    // A value that was read is written so that it is read as the same. What is in no charset that
    // was named stays bytes, which cannot be written as UTF-8.
    if (!tapal::text::is_valid_utf8(parameter.value)) continue;
    const auto again = parse_content_type("x/y" + parameter_text("name", parameter.value));
    require(again && again->parameter("name") == parameter.value);
  }
}

void check_encodings(std::string_view text) {
  const std::string printable = quoted_printable(text);
  require(tapal::text::is_ascii(printable));
  for (const auto line : tapal::text::split(printable, '\n')) require(line.size() <= 77);
  require(from_quoted_printable(printable) == with_crlf(text));
  (void)from_quoted_printable(text);
  std::string base64 = base64_body(text);
  std::erase_if(base64, [](char c) { return c == '\r' || c == '\n'; });
  require(tapal::text::from_base64(base64) == std::string(text));
}

// Where the boundary is safe, it stands in front of each part and behind the last, and nowhere
// else.
void check_multipart(std::string_view name, std::string_view text) {
  const std::array parts{
      text_part(text),
      attachment_part({.file_name = std::string(name), .bytes = std::string(text)})};
  constexpr std::string_view boundary = "=_b";
  if (!is_boundary_safe(parts, boundary)) return;
  const std::string body = multipart_body(parts, boundary);
  const auto lines = tapal::text::split(body, '\n');
  const auto delimiters = static_cast<std::size_t>(std::ranges::count_if(
      lines, [](std::string_view line) { return line.starts_with("--=_b"); }));
  require(delimiters == parts.size() + 1);
}

}  // namespace

// A Content-Type's body and, behind a NUL, a text to be encoded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);  // NOLINT: fuzzer bytes
  const std::size_t nul = std::min(input.find('\0'), size);
  const auto field = input.substr(0, nul);
  const auto text = input.substr(std::min(nul + 1, size));
  check_content_type(field);
  check_encodings(text);
  check_multipart(field, text);
  return 0;
}
