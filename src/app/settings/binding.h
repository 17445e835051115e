// Ties a field of Settings to its text form, by the field's type: used by the settings table only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/settings/table.h"
#include "rules/shaping/providers.h"
#include "services/judge/options.h"
#include "values/text/byte_size.h"
#include "values/text/duration.h"

namespace tapal::app::binding {

// A kind of value: `read` gives nothing when the value is not of this kind.
struct Flag {
  using Value = bool;
  static constexpr std::string_view kind = "true or false", expected = "true or false";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(Value value) { return value ? "true" : "false"; }
};

struct Count {
  using Value = std::uint64_t;
  static constexpr std::string_view kind = "whole number", expected = "a whole number such as 100";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(Value value) { return std::to_string(value); }
};

struct Share {
  using Value = double;
  static constexpr std::string_view kind = "share", expected = "a number such as 0.1";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(Value value) { return fmt::format("{}", value); }
};

struct Bytes {
  using Value = std::uint64_t;
  static constexpr std::string_view kind = "size",
                                    expected = "a size such as \"50MB\" or \"64KiB\"";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(Value value) { return toml_quoted(text::byte_size_text(value)); }
};

// In KiB within, because its owner counts so.
struct Kibibytes {
  using Value = std::uint64_t;
  static constexpr std::string_view kind = "size",
                                    expected = "a size of whole KiB such as \"19MiB\"";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(Value value) { return Bytes::print(value * 1024); }
};

struct Span {
  using Value = std::chrono::milliseconds;
  static constexpr std::string_view kind = "duration",
                                    expected = "a duration such as \"30s\", \"4h\" or \"5d\"";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(Value value) { return toml_quoted(text::duration_text(value)); }
};

struct Text {
  using Value = std::string;
  static constexpr std::string_view kind = "text", expected = "a text in quotes";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(const Value& value) { return toml_quoted(value); }
};

struct File : Text {
  static constexpr std::string_view kind = "path", expected = "a path in quotes";
};

// Kept as A-labels.
struct HostName : Text {
  static constexpr std::string_view kind = "host name",
                                    expected = "a host name such as \"mail.example.org\"";
  static std::optional<Value> read(const TomlScalar& scalar);
};

struct Place {
  using Value = Endpoint;
  static constexpr std::string_view kind = "address:port",
                                    expected = "\"192.0.2.1:25\" or \"[2001:db8::1]:25\"";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(const Value& value) { return toml_quoted(value.text()); }
};

struct Network {
  using Value = IpNetwork;
  static constexpr std::string_view kind = "network",
                                    expected = "\"10.0.0.0/8\" or \"2001:db8::/32\"";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(const Value& value) { return toml_quoted(value.text()); }
};

struct Ip4 {
  using Value = IpAddress;
  static constexpr std::string_view kind = "IPv4 address",
                                    expected = "an IPv4 address such as \"192.0.2.1\"";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(const Value& value) { return toml_quoted(value.text()); }
};

struct Ip6 {
  using Value = IpAddress;
  static constexpr std::string_view kind = "IPv6 address",
                                    expected = "an IPv6 address such as \"2001:db8::1\"";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(const Value& value) { return toml_quoted(value.text()); }
};

struct Rate {
  using Value = shaping::Rate;
  static constexpr std::string_view kind = "rate",
                                    expected = "a count in a time such as \"600/1h\"";
  static std::optional<Value> read(const TomlScalar& scalar);
  static std::string print(const Value& value) { return toml_quoted(shaping::rate_text(value)); }
};

// A type that reads and prints itself.
template <class T>
struct Readable {
  using Value = T;
  static std::optional<T> read(const TomlScalar& scalar) {
    const auto* text = std::get_if<std::string>(&scalar.value);
    return text ? T::from_text(*text) : std::nullopt;
  }
  static std::string print(const T& value) { return toml_quoted(value.text()); }
};

struct Milter : Readable<judge::MilterPlace> {
  static constexpr std::string_view kind = "milter",
                                    expected = "\"unix:/run/x.sock\" or \"127.0.0.1:8891\"";
};

struct DnsList : Readable<judge::DnsblZone> {
  static constexpr std::string_view
      kind = "DNS list",
      expected = "a zone such as \"zen.spamhaus.org\" or \"zen.spamhaus.org=127.0.0.[2..11]*2\"";
};

struct Program : Readable<judge::HookCommand> {
  static constexpr std::string_view kind = "program",
                                    expected =
                                        "an absolute path, with arguments behind it if need be";
};

// Empty, or an address that our HTTP client takes.
struct WebAddress : Text {
  static constexpr std::string_view
      kind = "URL",
      expected = "a URL such as \"http://127.0.0.1:11333\" or \"http+unix:///run/x.sock\"";
  static std::optional<Value> read(const TomlScalar& scalar);
};

// "" when the value is within the row's bounds, else what was expected.
std::string out_of_bounds(const SettingRow& row, std::int64_t value);

template <class Kind>
std::string check(const SettingRow& row, const typename Kind::Value& value) {
  if constexpr (requires { value.count(); }) {
    return out_of_bounds(row, value.count());
  } else if constexpr (std::is_same_v<Kind, Kibibytes>) {
    return out_of_bounds(row, static_cast<std::int64_t>(value * 1024));
  } else if constexpr (std::is_integral_v<typename Kind::Value> && !std::is_same_v<Kind, Flag>) {
    return out_of_bounds(row, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_same_v<Kind, Share>) {
    // Bounds of a share are in hundredths.
    const double hundredths = value * 100;
    const bool good = hundredths >= static_cast<double>(row.bounds.least) &&
                      hundredths <= static_cast<double>(row.bounds.most);
    return good ? "" : out_of_bounds(row, row.bounds.most + 1);
  } else {
    return {};
  }
}

// Into the owner's type: seconds take no milliseconds, a smaller number takes what fits.
template <class Field, class Value>
std::string store(Value&& value, Field& field) {
  using Plain = std::remove_cvref_t<Value>;
  if constexpr (requires { Field::period::den; } && requires { value.count(); }) {
    if (std::chrono::duration_cast<Plain>(std::chrono::duration_cast<Field>(value)) != value)
      return "expected whole seconds";
    field = std::chrono::duration_cast<Field>(value);
  } else if constexpr (std::is_integral_v<Field> && !std::is_same_v<Field, bool>) {
    if (!std::in_range<Field>(value)) return "expected a smaller number";
    field = static_cast<Field>(value);
  } else {
    field = std::forward<Value>(value);
  }
  return {};
}

template <class Kind, class Field>
typename Kind::Value value_of(const Field& field) {
  if constexpr (requires { Field::period::den; }) {
    return std::chrono::duration_cast<typename Kind::Value>(field);
  } else {
    return static_cast<typename Kind::Value>(field);
  }
}

template <class Kind>
std::string read_one(const TomlScalar& scalar, const SettingRow& row, auto& field) {
  auto value = Kind::read(scalar);
  if (!value) return fmt::format("expected {}", Kind::expected);
  if (auto wrong = check<Kind>(row, *value); !wrong.empty()) return wrong;
  return store(*std::move(value), field);
}

// Bounds are printed as the kind prints its values.
template <class Kind>
std::string print_bound(std::int64_t bound) {
  if constexpr (std::is_same_v<Kind, Kibibytes>) {
    return Bytes::print(static_cast<std::uint64_t>(bound));
  } else if constexpr (std::is_same_v<Kind, Share>) {
    return Share::print(static_cast<double>(bound) / 100);
  } else if constexpr (requires { typename Kind::Value::period; } &&
                       std::is_constructible_v<typename Kind::Value, std::int64_t>) {
    return Kind::print(typename Kind::Value(bound));
  } else if constexpr (std::is_integral_v<typename Kind::Value>) {
    return Kind::print(static_cast<typename Kind::Value>(bound));
  } else {
    return {};
  }
}

// field<Span, [](Settings& s) -> auto& { return s.limits.idle; }>
template <class Kind, auto Access>
constexpr Binding field() {
  return {Kind::kind,
          [](const TomlEntry& entry, const SettingRow& row, Settings& into) -> std::string {
            const auto* scalar = std::get_if<TomlScalar>(&entry.value);
            if (!scalar) return fmt::format("expected {}", Kind::expected);
            return read_one<Kind>(*scalar, row, Access(into));
          },
          [](Settings& from) -> std::string { return Kind::print(value_of<Kind>(Access(from))); },
          print_bound<Kind>,
          {}};
}

// A field that may be unset: a std::optional.
template <class Kind, auto Access>
constexpr Binding optional_field() {
  return {Kind::kind,
          [](const TomlEntry& entry, const SettingRow& row, Settings& into) -> std::string {
            const auto* scalar = std::get_if<TomlScalar>(&entry.value);
            if (!scalar) return fmt::format("expected {}", Kind::expected);
            return read_one<Kind>(*scalar, row, Access(into).emplace());
          },
          [](Settings& from) -> std::string {
            const auto& value = Access(from);
            return value ? Kind::print(*value) : "";
          },
          print_bound<Kind>,
          {}};
}

inline constexpr std::size_t list_items_max = 1000;

template <class Kind, auto Access>
constexpr Binding list() {
  return {Kind::kind,
          [](const TomlEntry& entry, const SettingRow& row, Settings& into) -> std::string {
            const auto* items = std::get_if<TomlList>(&entry.value);
            if (!items)
              return fmt::format(
                  "expected a list of {} in brackets: [{}]", Kind::kind, row.example);
            if (items->items.size() > list_items_max)
              return fmt::format("expected at most {} values", list_items_max);
            auto& into_list = Access(into);
            into_list.clear();
            for (std::size_t i = 0; i < items->items.size(); ++i) {
              if (auto wrong = read_one<Kind>(items->items[i], row, into_list.emplace_back());
                  !wrong.empty())
                return fmt::format("value {} of the list: {}", i + 1, wrong);
            }
            return {};
          },
          [](Settings& from) -> std::string {
            std::string printed = "[";
            for (const auto& item : Access(from)) {
              if (printed.size() > 1) printed += ", ";
              printed += Kind::print(value_of<Kind>(item));
            }
            return printed + "]";
          },
          print_bound<Kind>,
          {}};
}

// An enumeration whose values count from 0 in the order of `names`.
std::string read_choice(const TomlEntry& entry,
                        std::span<const std::string_view> names,
                        std::size_t& chosen);

template <const auto& Names, auto Access>
constexpr Binding choice() {
  return {"choice",
          [](const TomlEntry& entry, const SettingRow&, Settings& into) -> std::string {
            std::size_t chosen = 0;
            if (auto wrong = read_choice(entry, Names, chosen); !wrong.empty()) return wrong;
            auto& field = Access(into);
            field = static_cast<std::remove_cvref_t<decltype(field)>>(chosen);
            return {};
          },
          [](Settings& from) -> std::string {
            return toml_quoted(Names[static_cast<std::size_t>(Access(from))]);
          },
          [](std::int64_t) -> std::string { return {}; },
          Names};
}

}  // namespace tapal::app::binding
