#include "values/mail/encoded_word.h"
#include "values/mail/header.h"
#include "values/mail/mime.h"
#include "values/text/ascii.h"
#include "values/text/utf8.h"

// Any text can be decoded; what comes of it can be encoded, folded, and decoded to the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: fuzzer bytes
  const std::string decoded = mail::decode_encoded_words(text);
  if (text::is_valid_utf8(text) && !text::is_valid_utf8(decoded)) std::abort();
  const std::string encoded = mail::encode_unstructured(decoded);
  if (!text::is_ascii(encoded)) std::abort();
  const std::string once = mail::decode_encoded_words(encoded);
  if (mail::decode_encoded_words(mail::encode_unstructured(once)) != once) std::abort();
  const auto header = mail::HeaderFields::parse(mail::field("Subject", encoded));
  if (!header || header->all().size() != 1) std::abort();
  if (!text::is_ascii(mail::encode_phrase(decoded))) std::abort();
  const auto type = mail::parse_content_type("x/y" + mail::parameter_text("name", text));
  if (!type || type->parameters.size() != 1) std::abort();
  (void)mail::from_quoted_printable(text);
  (void)mail::parse_content_type(text);
  return 0;
}
