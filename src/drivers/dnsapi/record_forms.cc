#include "drivers/dnsapi/record_forms.h"

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/zone_text.h"
#include "values/text/ascii.h"

namespace tapal::dnsapi {

std::string relative_name(std::string_view name, std::string_view zone, std::string_view apex) {
  if (name.size() <= zone.size()) return std::string(apex);
  return std::string(name.substr(0, name.size() - zone.size() - (zone.empty() ? 0 : 1)));
}

std::string absolute_name(std::string_view relative, std::string_view zone) {
  if (relative.ends_with('.')) relative.remove_suffix(1);
  if (relative.empty() || relative == "@" || dns::is_subdomain_of(relative, zone))
    return std::string(relative.empty() || relative == "@" ? zone : relative);
  return fmt::format("{}.{}", relative, zone);
}

Result<dns::Data> data_from_content(dns::Type type, std::string_view content) {
  const auto bad = [&] {
    return fail(Code::invalid,
                fmt::format("\"{}\" is not the data of a {} record",
                            text::printable(content, 100),
                            dns::type_text(type)));
  };
  const auto line = fmt::format("x. 1 IN {} {}", dns::type_text(type), content);
  auto records = dns::parse_zone_text(line);
  if (!records || records->size() != 1 || records->front().type != type) return bad();
  return std::move(records->front().data);
}

std::string quoted_text(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string text_from_content(std::string_view content) {
  if (!content.starts_with('"')) return std::string(content);
  std::string value;
  bool inside = false;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const char c = content[i];
    if (c == '"') {
      inside = !inside;
    } else if (inside && c == '\\') {
      if (i + 1 == content.size()) break;
      const auto code = text::to_number<unsigned>(content.substr(i + 1, 3));
      const bool is_decimal = code && *code < 256 && i + 3 < content.size();
      value += is_decimal ? static_cast<char>(*code) : content[i + 1];
      i += is_decimal ? 3 : 1;
    } else if (inside) {
      value += c;
    }
  }
  return value;
}

}  // namespace tapal::dnsapi
