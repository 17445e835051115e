// The table of settings: one row each. Reading, the sample file, the reference page and the
// comparison of two versions all walk it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings/settings.h"
#include "values/text/toml.h"

namespace tapal::app {

using text::read_toml;
using text::toml_path_text;
using text::toml_quoted;
using text::TomlEmptyTable;
using text::TomlEntry;
using text::TomlList;
using text::TomlPlace;
using text::TomlProblem;
using text::TomlScalar;
using text::TomlText;

// Least and most in the row's own unit: pieces, bytes, milliseconds. Equal: no bounds.
struct Bounds {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

struct SettingRow;

// How a row's value is read from TOML into the settings, and printed as TOML.
struct Binding {
  std::string_view kind;  // "duration", as people are told
  // Empty when all is well, else what was expected: "expected a duration such as \"4h\"".
  std::string (*read)(const TomlEntry& entry, const SettingRow& row, Settings& into);
  std::string (*print)(Settings& from);
  std::string (*print_bound)(std::int64_t bound);
  // What a text may be, in the order of the enumeration; empty for kinds that are not a choice.
  std::span<const std::string_view> choices;
};

struct SettingRow {
  std::string_view name;  // "limits.idle"
  Binding binding;
  Bounds bounds;
  std::string_view help;               // one or two sentences
  std::string_view default_text = {};  // where the default is not the printed value; else empty
  std::string_view example = {};       // a TOML value; empty: the default is example enough
};

std::span<const SettingRow> setting_rows();
const SettingRow* find_setting(std::string_view name);

// The fields of one entry under [routes], for the reference page: name and what it is.
struct RouteField {
  std::string_view name;
  std::string_view help;
};
std::span<const RouteField> route_fields();

// What stands under [dns.zones."example.org"]; "" when all is well, else what was expected.
bool is_dns_zone(const TomlEntry& entry);
std::string read_dns_zone(const TomlEntry& entry, Settings& settings);

// Reads what stands under [routes]: give it the entries whose path begins with "routes".
class RouteReader {
 public:
  void read(const TomlEntry& entry, Settings& settings);
  std::vector<TomlProblem> finish(Settings& settings);  // after the last entry

 private:
  struct Seen {
    std::string written;  // the key as it stands in the file
    TomlPlace place;
    bool has_port = false;
    bool has_problem = false;  // told; a missing host is then no news
  };
  void problem(const TomlEntry& entry, std::string_view what);
  void read_text(const TomlEntry& entry, delivery::Route& route, Seen& seen);
  void read_field(const TomlEntry& entry, Settings& settings, const std::string& domain);
  void read_place(const TomlEntry& entry, delivery::Route& route, Seen& seen);
  void read_manner(const TomlEntry& entry, delivery::Route& route);
  void read_login(const TomlEntry& entry, Settings& settings, const std::string& domain);

  std::map<std::string, Seen> seen_;
  std::vector<TomlProblem> problems_;
};

// The fields of a table [sources.NAME] and of one [pools.NAME]; their names stand alone.
std::span<const SettingRow> source_fields();
std::span<const SettingRow> pool_fields();

// Reads these tables, and holds what stands under [sending] to them: give it all entries.
class SourceReader {
 public:
  static bool takes(const TomlEntry& entry) {
    return entry.path.front() == "sources" || entry.path.front() == "pools";
  }
  void read(const TomlEntry& entry);
  std::vector<TomlProblem> finish(Settings& settings);  // after the last entry

 private:
  using Places = std::map<std::string, TomlPlace, std::less<>>;
  struct SeenSource {
    shaping::Source source;
    TomlPlace place;
    bool has_problem = false;  // told; what it then lacks is no news
  };
  struct SeenPool {
    shaping::Pool pool;
    TomlPlace place;
    Places fields = {};
    bool has_problem = false;
  };
  void problem(TomlPlace place, std::string_view name, std::string_view what);
  bool is_in_table(const TomlEntry& entry);
  void check(const SeenPool& seen);

  std::map<std::string, SeenSource> sources_;
  std::map<std::string, SeenPool> pools_;
  std::map<std::string, std::string> claims_;  // "users ann@example.org" to the pool
  Places choices_;                             // of the settings under [sending]
  std::vector<TomlProblem> problems_;
};

}  // namespace tapal::app
