#include "protocols/mailauth/dmarc_uri.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

bool is_hex(char c) {
  return text::is_digit(c) || (text::to_lower(c) >= 'a' && text::to_lower(c) <= 'f');
}

// RFC 3986 section 3.1.
bool is_scheme(std::string_view scheme) {
  return !scheme.empty() && text::is_alpha(scheme.front()) &&
         std::ranges::all_of(scheme, [](char c) {
           return text::is_alnum(c) || std::string_view("+-.").contains(c);
         });
}

// RFC 3986 appendix A, without the comma and the "!" that RFC 9989 wants encoded.
bool has_uri_characters(std::string_view rest) {
  constexpr std::string_view others = "-._~:/?#[]@$&'()*+;=";
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '%') {
      if (i + 2 >= rest.size() || !is_hex(rest[i + 1]) || !is_hex(rest[i + 2])) return false;
      i += 2;
    } else if (!text::is_alnum(rest[i]) && !others.contains(rest[i])) {
      return false;
    }
  }
  return !rest.empty();
}

bool has_address(std::string_view rest) {
  const std::string_view address = rest.substr(0, rest.find('?'));
  const std::size_t at = address.find('@');
  return at != std::string_view::npos && at != 0 && at + 1 < address.size();
}

bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (!is_scheme(scheme) || !has_uri_characters(rest)) return false;
  return !text::equals_ignoring_case(scheme, "mailto") || has_address(rest);
}

// obs-dmarc-report-size: "!" 1*DIGIT [ "k" / "m" / "g" / "t" ].
bool is_size(std::string_view text) {
  if (!text.empty() && std::string_view("kmgt").contains(text::to_lower(text.back())))
    text.remove_suffix(1);
  return !text.empty() && std::ranges::all_of(text, text::is_digit);
}

}  // namespace

DmarcUris parse_dmarc_uris(std::string_view list) {
  DmarcUris uris;
  for (const std::string_view entry : text::split(list, ',')) {
    std::string_view uri = text::trim(entry);
    const std::size_t mark = uri.rfind('!');
    if (mark != std::string_view::npos && is_size(uri.substr(mark + 1))) {
      uri = uri.substr(0, mark);
      uris.has_size = true;
    }
    if (is_uri(uri)) {
      uris.good.emplace_back(uri);
    } else {
      uris.bad.push_back(uri);
    }
  }
  return uris;
}

}  // namespace tapal::mailauth
