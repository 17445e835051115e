#include "app/settings/edit.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "app/settings/table.h"
#include "drivers/files/files.h"

namespace tapal::app {
namespace {

constexpr mode_t settings_file_mode = 0600;
constexpr std::string_view routes_begin = "routes.";  // and a domain in quotes

struct Lines {
  std::vector<std::string> lines;

  explicit Lines(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      lines.emplace_back(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }
  std::string text() const { return fmt::format("{}\n", fmt::join(lines, "\n")); }
  void insert(std::size_t at, std::string line) {
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), std::move(line));
  }
};

bool begins_table(std::string_view line) { return line.starts_with('['); }

// Where a table's lines begin and end: what comes before the first header has no name.
struct Region {
  std::size_t begin = 0;
  std::size_t end = 0;
};
Region region_of(Lines& file, std::string_view table) {
  const auto& lines = file.lines;
  std::size_t begin = 0;
  if (!table.empty()) {
    const auto header = fmt::format("[{}]", table);
    const auto at = std::ranges::find_if(
        lines, [&](const std::string& line) { return line.starts_with(header); });
    if (at == lines.end()) {
      if (!lines.empty()) file.insert(lines.size(), "");
      file.insert(lines.size(), header);
      return {lines.size(), lines.size()};
    }
    begin = static_cast<std::size_t>(at - lines.begin()) + 1;
  }
  const auto end =
      std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(begin), lines.end(), &begins_table);
  return {begin, static_cast<std::size_t>(end - lines.begin())};
}

Result<void> replace(Lines& file, const TomlEntry& entry, std::string line) {
  auto& old = file.lines.at(entry.place.line - 1);
  const auto alone = read_toml(old);
  if (!alone.problems.empty() || alone.entries.size() != 1)
    return fail(Code::invalid,
                fmt::format("line {}: the value of {} goes over several lines; write there: {}",
                            entry.place.line,
                            toml_path_text(entry.path),
                            line));
  old = std::move(line);
  return {};
}

void add(Lines& file, std::string_view table, std::string_view key, std::string line) {
  const auto region = region_of(file, table);
  const auto sample = fmt::format("# {} = ", key);
  for (auto at = region.begin; at < region.end; ++at)
    if (file.lines[at].starts_with(sample)) return file.insert(at + 1, std::move(line));
  file.insert(region.begin, std::move(line));
}

}  // namespace

Result<std::string> with_setting(std::string_view text,
                                 std::string_view name,
                                 std::string_view value) {
  const bool is_route = name.starts_with(routes_begin);
  if (!is_route && find_setting(name) == nullptr)
    return fail(Code::invalid,
                fmt::format("{} is no setting; docs/settings.md lists all of them", name));
  const auto dot = is_route ? routes_begin.size() - 1 : name.rfind('.');
  const auto table = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  const auto key = name.substr(dot == std::string_view::npos ? 0 : dot + 1);
  auto line = fmt::format("{} = {}", key, value);
  Lines file(text);
  const auto read = read_toml(text);
  const auto is_it = [name](const TomlEntry& entry) { return toml_path_text(entry.path) == name; };
  if (const auto entry = std::ranges::find_if(read.entries, is_it); entry != read.entries.end()) {
    TAPAL_CHECK(replace(file, *entry, std::move(line)));
  } else {
    add(file, table, key, std::move(line));
  }
  auto after = file.text();
  if (const auto parsed = parse_settings(after, settings_file_name); !parsed.problems.empty())
    return fail(Code::invalid, parsed.problems.front());
  return after;
}

Result<bool> write_setting(const std::filesystem::path& config_folder,
                           std::string_view name,
                           std::string_view value) {
  bool has_changed = false;
  const auto change = [&](std::string_view before) -> Result<std::string> {
    TAPAL_TRY(auto after, with_setting(before, name, value));
    has_changed = after != before;
    return after;
  };
  TAPAL_CHECK(files::edit_file(config_folder / settings_file_name, settings_file_mode, change));
  return has_changed;
}

}  // namespace tapal::app
