// A TOML text as a flat list of its values with their places: what settings are read from. Keeps
// the TOML library out of everything else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tapal::text {

struct TomlPlace {
  std::size_t line = 0;  // both from 1
  std::size_t column = 0;
};

struct TomlScalar {
  // monostate: a value of a kind that no setting has (a date, a table or list within a list).
  std::variant<std::monostate, std::string, std::int64_t, double, bool> value;
  TomlPlace place;
};

struct TomlList {
  std::vector<TomlScalar> items;
};

// An empty table has no values of its own and is told by this.
struct TomlEmptyTable {};

struct TomlEntry {
  std::vector<std::string> path;  // keys from the outermost in
  TomlPlace place;                // of its key
  std::variant<TomlScalar, TomlList, TomlEmptyTable> value;
};

// The path as one would write it: limits.idle, routes."example.com".host.
std::string toml_path_text(const std::vector<std::string>& path);
std::string toml_quoted(std::string_view text);  // "..." with escapes

// The entry's value when it is of that kind; null or nothing when it is not.
const std::string* toml_string(const TomlEntry& entry);
std::optional<std::int64_t> toml_integer(const TomlEntry& entry);
std::optional<std::vector<std::string>> toml_strings(const TomlEntry& entry);

struct TomlProblem {
  TomlPlace place;
  std::string what;
};

struct TomlText {
  std::vector<TomlEntry> entries;     // in the text's order
  std::vector<TomlProblem> problems;  // at most one of syntax; values nested too deep
};

inline constexpr std::size_t toml_depth_max = 4;
inline constexpr std::size_t toml_entries_max = 200'000;

TomlText read_toml(std::string_view text);

}  // namespace tapal::text
