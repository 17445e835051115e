#include "protocols/mailauth/tag_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::mailauth {
namespace {

bool is_tag_name(std::string_view name) {
  return !name.empty() && text::is_alpha(name.front()) &&
         std::ranges::all_of(name, [](char c) { return text::is_alnum(c) || c == '_'; });
}

// VALCHAR of RFC 6376 section 3.2 with RFC 8616's UTF-8, and folding white space between: a CRLF
// that a space or tab follows.
Result<void> check_value(std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    if (text::is_blank(value[i]) || (byte > 0x20 && byte != 0x7f)) continue;
    const bool fold =
        value.substr(i).starts_with("\r\n") && i + 2 < value.size() && text::is_blank(value[i + 2]);
    if (!fold) {
      return fail(Code::invalid, fmt::format("byte 0x{:02x} in a tag value", byte));
    }
    ++i;
  }
  return {};
}

}  // namespace

Result<TagList> TagList::parse(std::string_view text) {
  if (text.size() > tag_list_bytes_max) {
    return fail(Code::invalid, fmt::format("a tag list of more than {} bytes", tag_list_bytes_max));
  }
  TAPAL_CHECK(check_value(text));
  TagList list;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const std::string_view spec = text.substr(begin, end - begin);
    // Only the last one may be empty: RFC 6376 section 3.2 allows one ";" at the end.
    if (text::trim(spec).empty() && end == text.size()) break;
    const std::size_t equals = spec.find('=');
    if (equals == std::string_view::npos) {
      return fail(Code::invalid,
                  fmt::format("no \"=\" in \"{}\"", text::printable(text::trim(spec), 40)));
    }
    const std::string_view name = text::trim(spec.substr(0, equals));
    if (!is_tag_name(name)) {
      return fail(Code::invalid, fmt::format("bad tag name \"{}\"", text::printable(name, 40)));
    }
    if (list.find(name) != nullptr) {
      return fail(Code::invalid, fmt::format("tag {}= occurs twice", text::printable(name, 40)));
    }
    if (list.tags_.size() == tags_max) {
      return fail(Code::invalid, fmt::format("more than {} tags", tags_max));
    }
    list.tags_.push_back({name, text::trim(spec.substr(equals + 1)), begin + equals + 1, end});
    begin = end + 1;
  }
  if (list.tags_.empty()) return fail(Code::invalid, "an empty tag list");
  return list;
}

const Tag* TagList::find(std::string_view name) const {
  const auto found = std::ranges::find(tags_, name, &Tag::name);
  return found == tags_.end() ? nullptr : &*found;
}

std::string_view TagList::value(std::string_view name) const {
  const Tag* tag = find(name);
  return tag == nullptr ? std::string_view{} : tag->value;
}

Result<std::string> from_base64_value(std::string_view value) {
  std::string digits;
  for (const char c : value) {
    if (!text::is_white_space(c)) digits += c;
  }
  if (!digits.ends_with('=')) digits.append((4 - digits.size() % 4) % 4, '=');
  return text::from_base64(digits);
}

std::vector<std::string_view> colon_list(std::string_view text) {
  std::vector<std::string_view> parts = text::split(text, ':');
  for (std::string_view& part : parts) part = text::trim(part);
  return parts;
}

}  // namespace tapal::mailauth
