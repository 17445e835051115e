#include "app/settings/binding.h"

#include <cmath>

#include "values/http/url.h"
#include "values/text/idna.h"

namespace tapal::app::binding {
namespace {

const std::string* text_of(const TomlScalar& scalar) {
  return std::get_if<std::string>(&scalar.value);
}

template <class Value>
std::optional<Value> value_of_result(Result<Value> result) {
  if (!result) return {};
  return *std::move(result);
}

}  // namespace

std::optional<bool> Flag::read(const TomlScalar& scalar) {
  const bool* flag = std::get_if<bool>(&scalar.value);
  return flag ? std::optional(*flag) : std::nullopt;
}

std::optional<std::uint64_t> Count::read(const TomlScalar& scalar) {
  const auto* number = std::get_if<std::int64_t>(&scalar.value);
  if (!number || *number < 0) return {};
  return static_cast<std::uint64_t>(*number);
}

std::optional<double> Share::read(const TomlScalar& scalar) {
  if (const auto* whole = std::get_if<std::int64_t>(&scalar.value))
    return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&scalar.value);
  if (!number || !std::isfinite(*number)) return {};
  return *number;
}

std::optional<std::uint64_t> Bytes::read(const TomlScalar& scalar) {
  if (const auto number = Count::read(scalar)) return number;
  const std::string* text = text_of(scalar);
  if (!text) return {};
  const auto size = text::parse_byte_size(*text);
  if (!size || !std::in_range<std::int64_t>(*size)) return {};
  return *size;
}

std::optional<std::uint64_t> Kibibytes::read(const TomlScalar& scalar) {
  const auto size = Bytes::read(scalar);
  if (!size || *size % 1024 != 0) return {};
  return *size / 1024;
}

std::optional<std::chrono::milliseconds> Span::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  if (!text) return {};
  return value_of_result(text::parse_duration(*text));
}

std::optional<std::string> Text::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  if (!text || text->contains('\0')) return {};
  return *text;
}

std::optional<std::string> HostName::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  if (!text) return {};
  return value_of_result(text::domain_to_ascii(*text));
}

std::optional<Endpoint> Place::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  return text ? Endpoint::from_text(*text) : std::nullopt;
}

std::optional<IpNetwork> Network::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  return text ? IpNetwork::from_text(*text) : std::nullopt;
}

std::optional<shaping::Rate> Rate::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  return text ? shaping::parse_rate(*text) : std::nullopt;
}

std::optional<IpAddress> Ip4::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  const auto address = text ? IpAddress::from_text(*text) : std::nullopt;
  return address && address->is_v4() ? address : std::nullopt;
}

std::optional<IpAddress> Ip6::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  const auto address = text ? IpAddress::from_text(*text) : std::nullopt;
  return address && !address->is_v4() ? address : std::nullopt;
}

std::optional<std::string> WebAddress::read(const TomlScalar& scalar) {
  const std::string* text = text_of(scalar);
  if (!text || (!text->empty() && !http::parse_url(*text))) return {};
  return *text;
}

std::string out_of_bounds(const SettingRow& row, std::int64_t value) {
  const auto [least, most] = row.bounds;
  if (least == most || (value >= least && value <= most)) return {};
  return fmt::format(
      "expected {} to {}", row.binding.print_bound(least), row.binding.print_bound(most));
}

std::string read_choice(const TomlEntry& entry,
                        std::span<const std::string_view> names,
                        std::size_t& chosen) {
  const auto* scalar = std::get_if<TomlScalar>(&entry.value);
  const std::string* text = scalar ? text_of(*scalar) : nullptr;
  for (std::size_t i = 0; text && i < names.size(); ++i) {
    if (names[i] == *text) {
      chosen = i;
      return {};
    }
  }
  std::string expected = "expected ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) expected += i + 1 == names.size() ? " or " : ", ";
    expected += toml_quoted(names[i]);
  }
  return expected;
}

}  // namespace tapal::app::binding
