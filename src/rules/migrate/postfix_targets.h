// What Postfix's aliases lead to, in the words of an aliases file of ours.
#pragma once

#include <string>
#include <string_view>

#include "rules/migrate/inventory.h"
#include "rules/migrate/tables.h"

namespace tapal::migrate {

struct TargetContext {
  std::string_view domain;  // whose alias it is
  std::string_view home;    // of names without a domain: $myorigin where it is the server's own
};

// One address of a table: "ann", "ann@example.com", "@example.com", "\ann".
std::string address_target(std::string_view address, const TargetContext& context);

// The value of an entry of aliases(5): addresses, "|command", /file, :include:/file. What has no
// counterpart is left behind.
std::vector<std::string> alias_targets(const OldFiles& files,
                                       const TableEntry& entry,
                                       const TargetContext& context,
                                       Inventory& inventory);

}  // namespace tapal::migrate
