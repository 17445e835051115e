// Postfix's look-up tables, by the text that they were made from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

struct TableEntry {
  std::string key;
  std::string value;
  std::string place;  // "/etc/postfix/virtual:3"
};

// "key value" a line, as postmap(1) takes it; or "key: value", as postalias(1) does.
enum class TableForm : std::uint8_t { map, aliases };
std::vector<TableEntry> read_table(std::string_view text,
                                   std::string_view file_name,
                                   TableForm form);

// All entries of tables that are named as "hash:/etc/postfix/virtual" or "proxy:lmdb:/...". Others
// (ldap:, regexp:, ...) and files that cannot be read are left behind, as `use` of theirs.
struct TableUse {
  std::vector<std::string> names;
  TableForm form = TableForm::map;
  std::string parameter;  // "virtual_alias_maps"
  std::string place;
};
std::vector<TableEntry> read_tables(const OldFiles& files,
                                    const TableUse& use,
                                    Inventory& inventory);

}  // namespace tapal::migrate
