#include "app/settings/table.h"

#include <algorithm>
#include <vector>

#include "app/settings/rows.h"

namespace tapal::app {

std::span<const SettingRow> setting_rows() {
  static const auto all = [] {
    std::vector<SettingRow> rows;
    for (const auto part : {machine_rows(),
                            receiving_rows(),
                            sending_rows(),
                            source_rows(),
                            shaping_rows(),
                            dns_rows(),
                            acme_rows(),
                            key_rows(),
                            doctor_rows(),
                            challenge_hook_rows()})
      rows.insert(rows.end(), part.begin(), part.end());
    return rows;
  }();
  return all;
}

const SettingRow* find_setting(std::string_view name) {
  const auto rows = setting_rows();
  const auto found = std::ranges::find(rows, name, &SettingRow::name);
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace tapal::app
