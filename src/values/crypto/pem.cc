#include "values/crypto/pem.h"

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::crypto {

Result<std::string> pem_body(std::string_view text, std::string_view label) {
  const auto begin = fmt::format("-----BEGIN {}-----", label);
  const auto end = fmt::format("-----END {}-----", label);
  const auto first = text.find(begin);
  const auto last = first == text.npos ? first : text.find(end, first);
  if (last == text.npos) return fail(Code::invalid, fmt::format("no {} in PEM", label));
  std::string body;
  for (const auto word :
       text::words(text.substr(first + begin.size(), last - first - begin.size())))
    body += word;
  return text::from_base64(body);
}

}  // namespace tapal::crypto
