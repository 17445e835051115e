// What `tapal doctor --fix` does by itself.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "rules/provision/finding.h"

namespace tapal::app {

struct Repaired {
  std::vector<std::string> done;    // "alias abuse@example.com -> ann@example.com"
  std::vector<std::string> failed;  // with the reason
  std::vector<std::string> checks;  // whose findings are to be looked at again
};
Repaired repair(const std::filesystem::path& config, std::span<const provision::Finding> findings);

}  // namespace tapal::app
