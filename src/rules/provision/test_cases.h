// For tests: made-up worlds with one thing broken, collected from several files.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "rules/provision/test_world.h"

namespace tapal::provision {

struct Case {
  std::string_view check;
  std::string_view name;
  Severity severity;
  std::string_view seen;  // a part of what is told
  void (*breaks)(TestWorld&);
};

inline std::vector<Case>& all_cases() {
  static std::vector<Case> cases;
  return cases;
}

struct CaseTable {
  explicit CaseTable(std::span<const Case> cases) {
    all_cases().insert(all_cases().end(), cases.begin(), cases.end());
  }
};

}  // namespace tapal::provision
