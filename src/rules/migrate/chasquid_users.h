// chasquid's user database: domains/DOMAIN/users, a text proto of names and password hashes.
#pragma once

#include <string_view>
#include <vector>

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

// Users whose password cannot be taken have neither a hash nor a clear password; why is in
// `left_behind` of the inventory. Error: the text is no such file.
Result<std::vector<OldUser>> read_chasquid_users(std::string_view text,
                                                 std::string_view file_name,
                                                 Inventory& inventory);

}  // namespace tapal::migrate
