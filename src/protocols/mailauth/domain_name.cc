#include "protocols/mailauth/domain_name.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::mailauth {
namespace {

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= text::label_bytes_max &&
         std::ranges::all_of(label,
                             [](char c) { return text::is_alnum(c) || c == '-' || c == '_'; });
}

}  // namespace

Result<std::string> comparable_name(std::string_view name) {
  if (name.size() > 4 * text::domain_bytes_max)
    return fail(Code::invalid, "a name of too many bytes");
  if (!text::is_ascii(name)) return text::domain_to_ascii(name);
  if (name.size() <= text::domain_bytes_max &&
      std::ranges::all_of(text::split(name, '.'), is_label)) {
    return text::to_lower(name);
  }
  return fail(Code::invalid, fmt::format("\"{}\" is no domain name", text::printable(name, 80)));
}

bool is_same_or_below(std::string_view name, std::string_view parent) {
  if (!name.ends_with(parent)) return false;
  name.remove_suffix(parent.size());
  return name.empty() || name.ends_with('.');
}

}  // namespace tapal::mailauth
