#include "rules/migrate/tables.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "rules/migrate/logical_lines.h"
#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

// Where the key ends: at a colon or white space outside of quotes.
std::size_t key_end(std::string_view line, TableForm form) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') is_quoted = !is_quoted;
    const bool ends = form == TableForm::aliases ? line[i] == ':' : text::is_white_space(line[i]);
    if (ends && !is_quoted) return i;
  }
  return line.size();
}

// The text file behind a table; nothing for one that has none.
std::optional<std::string_view> source_of(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kinds{
      "hash:", "btree:", "lmdb:", "cdb:", "dbm:", "sdbm:", "texthash:"};
  constexpr std::string_view proxy = "proxy:";
  if (name.starts_with(proxy)) name.remove_prefix(proxy.size());
  for (const auto kind : kinds)
    if (name.starts_with(kind)) return name.substr(kind.size());
  return {};
}

}  // namespace

std::vector<TableEntry> read_table(std::string_view text,
                                   std::string_view file_name,
                                   TableForm form) {
  std::vector<TableEntry> entries;
  for (const auto& [line, number] : logical_lines(text)) {
    const std::size_t end = key_end(line, form);
    const std::string_view whole = line;
    auto value = text::trim(whole.substr(std::min(end + 1, whole.size())));
    auto key = text::trim(whole.substr(0, end));
    if (key.size() >= 2 && key.starts_with('"') && key.ends_with('"'))
      key = key.substr(1, key.size() - 2);
    entries.push_back(
        {std::string(key), std::string(value), fmt::format("{}:{}", file_name, number)});
  }
  return entries;
}

std::vector<TableEntry> read_tables(const OldFiles& files,
                                    const TableUse& use,
                                    Inventory& inventory) {
  std::vector<TableEntry> entries;
  for (const auto& name : use.names) {
    const auto source = source_of(name);
    if (!source) {
      inventory.leave(use.place,
                      fmt::format("{}: {} is no table with a text file behind it; what it answers "
                                  "must be entered by hand",
                                  use.parameter,
                                  text::printable(name.substr(0, name.find(':')), 80)));
      continue;
    }
    const auto text = files.read(*source);
    if (text)
      std::ranges::move(read_table(*text, *source, use.form), std::back_inserter(entries));
    else
      inventory.leave(use.place, fmt::format("{}: {}", use.parameter, text.error().what));
  }
  return entries;
}

}  // namespace tapal::migrate
