// Today's findings beside those of the last look: what changed, and what got worse.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/provision/finding.h"

namespace tapal::provision {

// What is remembered of a look, by check and subject. Only the worst of what a check said of the
// same subject.
using Remembered = std::map<std::pair<std::string, std::string>, Severity>;

Remembered remember(std::span<const Finding> findings);
// A line each: "error spf.egress 192.0.2.1". What cannot be read is left out.
std::string to_text(const Remembered& remembered);
Remembered remembered_from_text(std::string_view text);

struct Changes {
  std::vector<Finding> worse;  // warnings and errors that are new or grew
  std::vector<std::pair<std::string, std::string>> better;  // check and subject

  bool empty() const { return worse.empty() && better.empty(); }
};
// A check that could not be made is no change for the better: its subject is kept in mind only
// when today has a finding of the same check.
Changes compare(const Remembered& before, std::span<const Finding> today);

}  // namespace tapal::provision
